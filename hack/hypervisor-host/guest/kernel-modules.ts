// The kernel modules a guest needs, in the order in which they must be loaded.
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

/** What Debian's cloud kernel does not have built in, by module name. */
const WANTED = ['virtio_pci', 'virtio_blk', 'virtio_net', 'virtio_balloon', 'evdev', 'button', 'pvpanic_mmio'];

/** Files relative to the modules directory, each after those it needs. Modules that are built in need no file. */
export async function modulesInLoadOrder(modulesDirectory: string): Promise<string[]> {
  const needs = parseDependencies(await readFile(join(modulesDirectory, 'modules.dep'), 'utf8'));
  const byName = new Map([...needs.keys()].map((file) => [moduleName(file), file]));
  const ordered = new Set<string>();
  for (const name of WANTED) {
    const file = byName.get(name);
    // modules.dep lists what a module needs with the deepest need last.
    if (file !== undefined) [file, ...(needs.get(file) ?? [])].toReversed().forEach((needed) => ordered.add(needed));
  }
  return [...ordered];
}

function parseDependencies(text: string): Map<string, string[]> {
  const lines = text.split('\n').filter((line) => line.includes(':'));
  return new Map(lines.map((line) => parseLine(line)));
}

function parseLine(line: string): [string, string[]] {
  const colon = line.indexOf(':');
  const needed = line.slice(colon + 1).trim();
  return [line.slice(0, colon), needed === '' ? [] : needed.split(/\s+/)];
}

function moduleName(file: string): string {
  return basename(file)
    .replace(/\.ko(\.[a-z0-9]+)?$/, '')
    .replaceAll('-', '_');
}
