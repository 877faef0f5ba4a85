// Names of files in the boot directory become paths, and never lead out of it.
import { realpath, stat } from 'node:fs/promises';
import { basename, join, sep } from 'node:path';
import type { BootSource } from '../driver.ts';
import { DriverError } from '../errors.ts';

export interface BootFiles {
  readonly image: string;
  readonly initrd?: string;
}

/** Absolute, resolved paths. Rejects with Invalid, naming the field, where a file is not there or not inside. */
export async function resolveBootFiles(directory: string, boot: BootSource): Promise<BootFiles | undefined> {
  if (boot.kind !== 'Kernel') {
    return undefined;
  }
  const image = await resolveFile(directory, 'boot.kernel.image', boot.image);
  if (boot.initrd === undefined) {
    return { image };
  }
  return { image, initrd: await resolveFile(directory, 'boot.kernel.initrd', boot.initrd) };
}

async function resolveFile(directory: string, field: string, name: string): Promise<string> {
  if (name === '' || name === '.' || name === '..' || name !== basename(name) || name.includes('\0')) {
    throw invalid(
      field,
      `'${name}' is not the name of a file; give a name in the boot directory ${directory}, no path`,
    );
  }
  const root = await resolved(directory);
  if (root === undefined) {
    throw invalid(field, `the boot directory ${directory} does not exist on this hypervisor`);
  }
  const path = await resolved(join(root, name));
  if (path === undefined) {
    throw invalid(field, `no file '${name}' in the boot directory ${directory}`);
  }
  if (!path.startsWith(root + sep)) {
    throw invalid(field, `'${name}' is a link that leads out of the boot directory ${directory}`);
  }
  if (!(await stat(path)).isFile()) {
    throw invalid(field, `'${name}' in the boot directory ${directory} is no regular file`);
  }
  return path;
}

async function resolved(path: string): Promise<string | undefined> {
  return realpath(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR' || error.code === 'ENAMETOOLONG') {
      return undefined;
    }
    throw new DriverError('Failed', `cannot look at ${path}: ${error.message}`, error);
  });
}

function invalid(field: string, complaint: string): DriverError {
  return new DriverError('Invalid', `${field}: ${complaint}`);
}
