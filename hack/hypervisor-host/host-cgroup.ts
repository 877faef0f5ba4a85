// Cgroups of its own for each machine's guests, to share out and count their CPU time. Two machines must not share one:
// libvirt names the cgroups of guests by number and name, which two of them may have in common.
import { createHash } from 'node:crypto';
import { mkdir, readdir, rmdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { until } from '../until.ts';

const ROOT = '/sys/fs/cgroup';
/** Those that libvirt uses on these machines. */
export const CONTROLLERS = ['cpu', 'cpuacct'] as const;

/** Why guests' CPU time cannot be shared out on this machine; undefined where it can. */
export async function cgroupObstacle(): Promise<string | undefined> {
  for (const controller of CONTROLLERS) {
    const there = await stat(join(ROOT, controller, 'cgroup.procs')).then(
      () => true,
      () => false,
    );
    if (!there) return `there is no ${join(ROOT, controller)}: the tests' machines use the first version of cgroups`;
  }
  return undefined;
}

/** The name of its cgroups, which were made; undefined where there can be none. */
export async function makeCgroups(directory: string): Promise<string | undefined> {
  if ((await cgroupObstacle()) !== undefined) return undefined;
  const name = cgroupName(directory);
  for (const controller of CONTROLLERS) await mkdir(join(ROOT, controller, name), { recursive: true });
  return name;
}

/** Waits until no process is left in them: the kernel takes a moment to end them. Quiet where there are none. */
export async function removeCgroups(directory: string): Promise<void> {
  for (const controller of CONTROLLERS) {
    const path = join(ROOT, controller, cgroupName(directory));
    const isGone = async () =>
      removeBelow(path).then(
        () => true,
        (error: unknown) => (error as { code?: string }).code === 'ENOENT',
      );
    await until(`the cgroup ${path} is empty`, 10, isGone);
  }
}

/** Machines of several sites have the same names, and their cgroups lie side by side. */
function cgroupName(directory: string): string {
  const site = createHash('sha256').update(directory).digest('hex').slice(0, 12);
  return `usher-${site}-${basename(directory)}`;
}

async function removeBelow(path: string): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true });
  for (const entry of entries) if (entry.isDirectory()) await removeBelow(join(path, entry.name));
  await rmdir(path);
}
