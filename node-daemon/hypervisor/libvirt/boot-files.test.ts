import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { DriverError } from '../errors.ts';
import { resolveBootFiles } from './boot-files.ts';

describe('the files a guest boots from', () => {
  let directory: string;
  let boot: string;
  beforeEach(async () => {
    directory = await realpath(await mkdtemp(join(tmpdir(), 'usher-boot-')));
    boot = join(directory, 'boot');
    await mkdir(join(boot, 'folder'), { recursive: true });
    await writeFile(join(boot, 'vmlinuz-1'), '');
    await writeFile(join(directory, 'secret'), '');
    await symlink('vmlinuz-1', join(boot, 'vmlinuz'));
    await symlink('../secret', join(boot, 'outside'));
    await symlink(boot, join(directory, 'link-to-boot'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  it('are found by name, links within the directory followed', async () => {
    const files = await resolveBootFiles(join(directory, 'link-to-boot'), {
      kind: 'Kernel',
      image: 'vmlinuz',
      initrd: 'vmlinuz-1',
    });
    expect(files).to.deep.equal({ image: join(boot, 'vmlinuz-1'), initrd: join(boot, 'vmlinuz-1') });
  });

  it('are none where a disk is booted', async () => {
    expect(await resolveBootFiles(boot, { kind: 'Disk', disk: 'root' })).to.equal(undefined);
  });

  const refused: Record<string, [name: string, complaint: RegExp]> = {
    'a missing file': ['nothing', /^boot\.kernel\.initrd: no file 'nothing' in the boot directory \//],
    'a link that leads out': [
      'outside',
      /^boot\.kernel\.initrd: 'outside' is a link that leads out of the boot directory/,
    ],
    'a directory': ['folder', /^boot\.kernel\.initrd: 'folder' in the boot directory .* is no regular file/],
    'a path upwards': ['../secret', /^boot\.kernel\.initrd: '\.\.\/secret' is not the name of a file/],
    'an absolute path': ['/etc/passwd', /is not the name of a file/],
    'the directory itself': ['.', /is not the name of a file/],
    'the directory above': ['..', /is not the name of a file/],
    'a name with a zero in it': ['vmlinuz\0', /is not the name of a file/],
    'a name that is too long': ['x'.repeat(5_000), /no file/],
    'no name': ['', /is not the name of a file/],
  };
  for (const [what, [name, complaint]] of Object.entries(refused)) {
    it(`are refused as Invalid for ${what}`, async () => {
      const error = await rejection(boot, name);
      expect(error).to.include({ reason: 'Invalid' });
      expect(error.message).to.match(complaint);
    });
  }

  it('are refused as Invalid where there is no boot directory', async () => {
    expect((await rejection('/nowhere', 'vmlinuz')).message).to.contain('boot directory /nowhere does not exist');
  });
});

async function rejection(directory: string, initrd: string): Promise<DriverError> {
  const image = directory === '/nowhere' ? initrd : 'vmlinuz';
  const error = await resolveBootFiles(directory, { kind: 'Kernel', image, initrd }).catch((reason: unknown) => reason);
  expect(error).to.be.instanceOf(DriverError);
  return error as DriverError;
}
