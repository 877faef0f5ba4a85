import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { readBootID } from './boot-id.ts';

describe('the boot ID', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'boot-id-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('is what the kernel says, without the line end', async () => {
    const path = join(folder, 'boot_id');
    await writeFile(path, '4b0d8f1e-5f4e-4f43-8e0c-0d4a7f6f9d11\n');
    expect(await readBootID(path)).to.equal('4b0d8f1e-5f4e-4f43-8e0c-0d4a7f6f9d11');
  });

  it('is refused, naming the file, where it is no UUID', async () => {
    const path = join(folder, 'boot_id');
    await writeFile(path, '');
    const error = await readBootID(path).catch(String);
    expect(error).to.contain(path).and.to.contain('UUID');
  });

  it('is refused, naming the file, where there is none', async () => {
    const path = join(folder, 'missing');
    expect(await readBootID(path).catch(String)).to.contain(path);
  });

  it('is there on this machine', async () => {
    expect(await readBootID()).to.match(/^[0-9a-f-]{36}$/);
  });
});
