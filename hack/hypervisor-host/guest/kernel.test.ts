import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { guestKernel } from './kernel.ts';

describe('the kernel of the tiny guests', () => {
  let directory = '';
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'usher-kernel-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  const find = () => guestKernel(join(directory, 'cache'), join(directory, 'system'));

  async function put(root: string, version: string): Promise<void> {
    await mkdir(join(directory, root, 'boot'), { recursive: true });
    await writeFile(join(directory, root, 'boot', `vmlinuz-${version}`), '');
  }

  it('is the one in the cache, before one that is installed', async () => {
    await put('system', '6.1.0-55-cloud-amd64');
    await put('cache/linux-image-6.1.0-56-cloud-amd64', '6.1.0-56-cloud-amd64');
    await put('cache/.fetching-Ab12Cd/root', '6.1.0-57-cloud-amd64');
    const root = join(directory, 'cache/linux-image-6.1.0-56-cloud-amd64');
    expect(await find()).to.deep.equal({
      version: '6.1.0-56-cloud-amd64',
      file: join(root, 'boot/vmlinuz-6.1.0-56-cloud-amd64'),
      modulesDirectory: join(root, 'lib/modules/6.1.0-56-cloud-amd64'),
    });
  });

  it('may be an installed one, but only one for virtual machines: others lack drivers or hold too many', async () => {
    await put('system', '6.1.0-56-amd64');
    expect(await find()).to.equal(undefined);
    await put('system', '6.1.0-55-cloud-amd64');
    expect((await find())?.version).to.equal('6.1.0-55-cloud-amd64');
  });
});
