import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { guardFilesIn } from './files.ts';

const ORDERS = { seq: 3, bootID: 'b', renewedAt: 12.5, deadlineSeconds: 60, guests: [{ uuid: 'u', name: 'team/web' }] };

describe('the files between daemon and guard', () => {
  let directory: string;
  beforeEach(async () => {
    directory = join(await mkdtemp(join(tmpdir(), 'usher-guard-')), 'guard');
  });
  afterEach(async () => rm(join(directory, '..'), { recursive: true }));

  it('say what was written, to whoever reads them, and are for their owner alone', async () => {
    const files = guardFilesIn(directory);
    expect([await files.orders(), await files.acknowledgement()]).to.deep.equal([undefined, undefined]);
    await files.give(ORDERS);
    await files.acknowledge({ seq: 3, bootID: 'b', at: 13 });
    expect(await guardFilesIn(directory).orders()).to.deep.equal(ORDERS);
    expect(await guardFilesIn(directory).acknowledgement()).to.deep.equal({ seq: 3, bootID: 'b', at: 13 });
    expect((await stat(directory)).mode & 0o777).to.equal(0o700);
  });

  for (const text of ['', '{', '[]', '{"seq": "3"}', JSON.stringify({ ...ORDERS, guests: ['u'] })]) {
    it(`are no orders where they hold ${JSON.stringify(text)}`, async () => {
      const files = guardFilesIn(directory);
      await files.give(ORDERS);
      await writeFile(join(directory, 'orders.json'), text);
      const failure = await files.orders().catch((error: unknown) => error);
      expect(failure).to.be.instanceOf(Error);
    });
  }
});
