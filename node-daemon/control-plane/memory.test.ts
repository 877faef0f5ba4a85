import { mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ExpectedError } from '#runtime/process/expected-error.ts';
import { memoryIn } from './memory.ts';

const directory = async () => mkdtemp(join(tmpdir(), 'usher-state-'));

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('what a daemon keeps of its control plane', () => {
  it('is nothing at first, and then what was written, with no remains', async () => {
    const path = join(await directory(), 'state');
    expect(await memoryIn(path).read()).to.equal(undefined);
    for (const doubt of [{}, { doubt: 'WentBack' as const }]) {
      const known = { uid: 'c1', resourceVersion: '70', ...doubt };
      await memoryIn(path).write(known);
      expect(await memoryIn(path).read()).to.deep.equal(known);
    }
    expect(await readdir(path)).to.deep.equal(['control-plane.json']);
  });

  it('is asked for in words where it cannot be read', async () => {
    const path = await directory();
    for (const text of ['', 'null', '{"uid":1}', '{']) {
      await writeFile(join(path, 'control-plane.json'), text);
      const error = await failureOf(memoryIn(path).read());
      expect(error).to.be.instanceOf(ExpectedError);
      expect(String(error)).to.include(`${path}/control-plane.json does not say which control plane`);
    }
  });

  it('names the option where it cannot be written', async () => {
    const error = await failureOf(memoryIn('/dev/null/state').write({ uid: 'c1', resourceVersion: '1' }));
    expect(error).to.be.instanceOf(ExpectedError);
    expect(String(error)).to.include('--state-directory names a directory that outlives this daemon');
  });
});
