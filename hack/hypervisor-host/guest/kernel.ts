// The kernel of the tiny guests: Debian's cloud kernel, as hack/setup/guest-kernel.sh unpacked it, or an installed one.
import { access, constants, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDirectory } from '../../cache.ts';

export interface GuestKernel {
  readonly version: string;
  readonly file: string;
  readonly modulesDirectory: string;
}

/** Undefined where there is none that this user may read. */
export async function guestKernel(cache = cacheDirectory('kernel'), system = '/'): Promise<GuestKernel | undefined> {
  const unpacked = (await readdir(cache).catch(() => [])).filter((name) => name.startsWith('linux-image-')).toSorted();
  for (const root of [...unpacked.toReversed().map((name) => join(cache, name)), system]) {
    const found = await kernelIn(root);
    if (found !== undefined) return found;
  }
  return undefined;
}

async function kernelIn(root: string): Promise<GuestKernel | undefined> {
  const files = await readdir(join(root, 'boot')).catch(() => []);
  const name = files
    .filter((file) => /^vmlinuz-.*cloud/.test(file))
    .toSorted()
    .at(-1);
  if (name === undefined) return undefined;
  const version = name.replace(/^vmlinuz-/, '');
  const file = join(root, 'boot', name);
  const modulesDirectory = join(root, 'lib/modules', version);
  return access(file, constants.R_OK).then(
    () => ({ version, file, modulesDirectory }),
    () => undefined,
  );
}
