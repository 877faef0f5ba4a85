// What a definition would say of a domain here: its XML, with the paths that it names found in pools and directories.
import { realpath } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { BootSource, DiskDefinition, Inspection, Obstacle } from '#node-daemon/hypervisor/driver.ts';
import { DriverError } from '#node-daemon/hypervisor/errors.ts';
import { type FoundBoot, type FoundDisk, inspectXml } from '../domain-xml/inspect.ts';
import { type Ask, getXml, lookupByUuid } from '../rpc/domain-calls.ts';
import { LibvirtFault } from '../rpc/faults.ts';
import { lookupVolume } from '../rpc/storage-calls.ts';

/** Rejects with NotFound. */
export async function inspectDomain(ask: Ask, uuid: string, bootDirectory: string): Promise<Inspection> {
  const { name } = await lookupByUuid(ask, uuid);
  const found = inspectXml(await getXml(ask, uuid));
  if (found === undefined) throw new DriverError('Failed', `the definition of the domain '${name}' cannot be read`);
  const { cpus, memoryBytes, interfaces, hardware } = found;
  const obstacles = [...found.obstacles];
  const disks: DiskDefinition[] = [];
  for (const disk of found.disks) {
    const located = await volumeOf(ask, disk);
    if ('message' in located) obstacles.push(located);
    else disks.push(located);
  }
  const boot = await bootOf(found.boot, await directories(bootDirectory));
  if (boot !== undefined && 'message' in boot) obstacles.push(boot);
  const source = boot === undefined || 'message' in boot ? {} : { boot };
  return { name, cpus, memoryBytes, ...source, disks, interfaces, hardware, obstacles };
}

async function volumeOf(
  ask: Ask,
  { name, pool, volume, path, format, readOnly }: FoundDisk,
): Promise<DiskDefinition | Obstacle> {
  const as = format === 'qcow2' ? 'qcow2' : 'raw';
  if (pool !== '') return { name, pool, volume, format: as, readOnly };
  try {
    return { name, ...(await lookupVolume(ask, path)), format: as, readOnly };
  } catch (error) {
    if (!(error instanceof LibvirtFault)) throw error;
    const advice = 'define a pool over its directory, or refresh the one there is (virsh pool-refresh)';
    return { field: `disk[${name}].source`, message: `${path || 'It'} is no volume of a storage pool: ${advice}.` };
  }
}

async function bootOf(
  boot: FoundBoot | undefined,
  within: readonly string[],
): Promise<BootSource | Obstacle | undefined> {
  if (boot?.kind !== 'Kernel') return boot;
  const files = [boot.image, ...(boot.initrd === undefined ? [] : [boot.initrd])];
  const outside = files.find((file) => !within.includes(dirname(file)));
  if (outside !== undefined)
    return { field: 'os.kernel', message: `${outside} is not in the boot directory ${within[0]} of this hypervisor.` };
  return {
    ...boot,
    image: basename(boot.image),
    ...(boot.initrd === undefined ? {} : { initrd: basename(boot.initrd) }),
  };
}

/** As it is called, and as it is. */
async function directories(bootDirectory: string): Promise<string[]> {
  const real = await realpath(bootDirectory).catch(() => bootDirectory);
  return [bootDirectory.replace(/\/+$/, ''), real];
}
