// Volumes of the hypervisor's storage pools. Their format is said, never guessed: a guest can write any header.
import type { DiskDefinition, DomainDefinition } from '#node-daemon/hypervisor/driver.ts';
import { DriverError } from '#node-daemon/hypervisor/errors.ts';
import { bootOrder } from './boot.ts';
import type { BuildContext } from './domain-type.ts';
import { type Element, element } from './element.ts';

export function disks(definition: DomainDefinition, context: BuildContext): Element[] {
  const bootDisk = definition.boot.kind === 'Disk' ? definition.boot.disk : undefined;
  if (context.type === 'lxc') {
    return definition.disks.map((disk) => containerFilesystem(disk, disk.name === bootDisk, context));
  }
  if (context.type === 'xen') {
    const ordered = definition.disks.toSorted((one, other) => rank(one, bootDisk) - rank(other, bootDisk));
    return ordered.map((disk, index) => blockDevice(disk, { bus: 'xen', dev: deviceName('xvd', index) }));
  }
  return definition.disks.map((disk, index) =>
    blockDevice(disk, { bus: 'virtio', dev: deviceName('vd', index) }, bootOrder(disk.name === bootDisk)),
  );
}

function blockDevice(disk: DiskDefinition, target: { bus: string; dev: string }, order?: Element): Element {
  return element(
    'disk',
    { type: 'volume', device: 'disk' },
    element('driver', { name: 'qemu', type: disk.format }),
    element('source', { pool: disk.pool, volume: disk.volume }),
    element('target', target),
    order,
    disk.readOnly ? element('readonly') : undefined,
  );
}

/** Xen boots from its first disk. */
function rank(disk: DiskDefinition, bootDisk: string | undefined): number {
  return disk.name === bootDisk ? 0 : 1;
}

/** a to z, then aa, ab …, as Linux counts disks. */
function deviceName(prefix: string, index: number): string {
  const letter = String.fromCharCode('a'.charCodeAt(0) + (index % 26));
  return index < 26 ? prefix + letter : deviceName(prefix, Math.floor(index / 26) - 1) + letter;
}

function containerFilesystem(disk: DiskDefinition, isRoot: boolean, { volumePaths }: BuildContext): Element {
  const path = volumePaths?.get(disk.name);
  if (path === undefined) {
    throw new DriverError('Invalid', `disks: the path of volume '${disk.volume}' in pool '${disk.pool}' is not known`);
  }
  const driver = disk.format === 'raw' ? 'loop' : 'nbd';
  return element(
    'filesystem',
    { type: 'file', accessmode: 'passthrough' },
    element('driver', { type: driver, format: disk.format }),
    element('source', { file: path }),
    element('target', { dir: isRoot ? '/' : `/mnt/${disk.name}` }),
    disk.readOnly ? element('readonly') : undefined,
  );
}
