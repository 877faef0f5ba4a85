// A bootable guest of a few megabytes, built on the spot from Debian's cloud kernel and busybox.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDirectory } from '../../cache.ts';
import { withProgress } from '../../progress.ts';
import { type GuestKernel, guestKernel } from './kernel.ts';
import { modulesInLoadOrder } from './kernel-modules.ts';

const run = promisify(execFile);
const here = import.meta.dirname;

export interface GuestImage {
  /** A hypervisor's boot directory with both files in it. */
  readonly bootDirectory: string;
  /** File names in that directory, as manifests give them. */
  readonly kernel: string;
  readonly initrd: string;
}

/** The names that `examples/` uses. */
const KERNEL = 'usher-guest.vmlinuz';
const INITRD = 'usher-guest.initrd';
const PARTS = ['init.sh', 'dhcp.sh', 'power-button.sh', 'kernel-modules.ts', 'kernel.ts', 'image.ts'];

/** Why a guest cannot be built on this machine; undefined where it can. */
export async function guestImageObstacle(): Promise<string | undefined> {
  if ((await guestKernel()) === undefined) return 'there is no kernel for guests: run make system-packages';
  for (const [file, needed] of [
    ['/bin/busybox', 'busybox-static'],
    ['/usr/bin/cpio', 'cpio'],
  ] as const) {
    if (!existsSync(file)) return `${file} is missing (Debian package ${needed})`;
  }
  return undefined;
}

/** Builds it, or finds it in the cache, which is keyed by the kernel and by everything here. Rejects with the obstacle. */
export async function guestImage(): Promise<GuestImage> {
  const obstacle = await guestImageObstacle();
  const kernel = await guestKernel();
  if (obstacle !== undefined || kernel === undefined) throw new Error(`no guest image can be built: ${obstacle}`);
  const bootDirectory = join(cacheDirectory('guest'), `${kernel.version}-${await fingerprint()}`);
  const image: GuestImage = { bootDirectory, kernel: KERNEL, initrd: INITRD };
  if (existsSync(join(bootDirectory, INITRD))) return image;
  await withProgress('building the guest image', async () => build(kernel, bootDirectory));
  return image;
}

async function fingerprint(): Promise<string> {
  const texts = await Promise.all(PARTS.map(async (part) => readFile(join(here, part))));
  return createHash('sha256').update(Buffer.concat(texts)).digest('hex').slice(0, 12);
}

async function build(kernel: GuestKernel, bootDirectory: string): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'usher-guest-'));
  const partial = `${bootDirectory}.building-${process.pid}`;
  try {
    await mkdir(partial, { recursive: true });
    await fillRoot(root, kernel.modulesDirectory);
    await run('sh', ['-c', 'find . | cpio -o -H newc --quiet | gzip -9 > "$1"', 'sh', join(partial, INITRD)], {
      cwd: root,
    });
    await copyFile(kernel.file, join(partial, KERNEL));
    await chmod(join(partial, KERNEL), 0o644);
    // Another process may have been faster: its image is the same.
    await rename(partial, bootDirectory).catch(() => undefined);
  } finally {
    await rm(root, { recursive: true, force: true });
    await rm(partial, { recursive: true, force: true });
  }
}

async function fillRoot(root: string, modulesDirectory: string): Promise<void> {
  for (const directory of ['bin', 'proc', 'sys', 'dev', 'tmp', 'etc/acpi/PWRF', 'lib/modules']) {
    await mkdir(join(root, directory), { recursive: true });
  }
  await copyFile('/bin/busybox', join(root, 'bin/busybox'));
  const { stdout } = await run('/bin/busybox', ['--list']);
  const applets = stdout.split('\n').filter((applet) => applet !== '' && applet !== 'busybox');
  for (const applet of applets) await symlink('busybox', join(root, 'bin', applet));
  await script('init.sh', join(root, 'init'));
  await script('dhcp.sh', join(root, 'etc/dhcp.sh'));
  // acpid runs the file named after the event it reads: the power button's is PWRF/00000080.
  await script('power-button.sh', join(root, 'etc/acpi/PWRF/00000080'));
  await copyModules(root, modulesDirectory);
}

async function script(part: string, target: string): Promise<void> {
  await copyFile(join(here, part), target);
  await chmod(target, 0o755);
}

async function copyModules(root: string, source: string): Promise<void> {
  const files = await modulesInLoadOrder(source);
  for (const file of files) await copyFile(join(source, file), join(root, 'lib/modules', basename(file)));
  await writeFile(join(root, 'lib/modules/order'), `${files.map((file) => basename(file)).join('\n')}\n`);
}
