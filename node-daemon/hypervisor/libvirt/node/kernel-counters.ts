// The machine's own network and disk counters, from the kernel's files: proc(5), Documentation/admin-guide/iostats.rst.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DriverError } from '#node-daemon/hypervisor/errors.ts';
import type { NodeCounterFiles } from '../settings.ts';

const SECTOR_BYTES = 512n;
const DEFAULT_ROUTE = '00000000';
/** Disks only: partitions, device-mapper and loop devices would count the same bytes again. */
const WHOLE_DISK = /^(?:[shv]d[a-z]+|xvd[a-z]+|nvme[0-9]+n[0-9]+|mmcblk[0-9]+)$/;

export interface KernelCounters {
  readonly networkReceiveBytes: bigint;
  readonly networkTransmitBytes: bigint;
  readonly diskReadBytes: bigint;
  readonly diskWriteBytes: bigint;
}

const NONE: KernelCounters = {
  networkReceiveBytes: 0n,
  networkTransmitBytes: 0n,
  diskReadBytes: 0n,
  diskWriteBytes: 0n,
};

/** Zeros where no files are given. Rejects with Failed where they cannot be read. */
export async function readKernelCounters(files: NodeCounterFiles | undefined): Promise<KernelCounters> {
  if (files === undefined) {
    return NONE;
  }
  const { networkDirectory, diskStatistics } = files;
  const [devices, routes, disks] = await Promise.all([
    readText(join(networkDirectory, 'dev')),
    readText(join(networkDirectory, 'route')),
    readText(diskStatistics),
  ]);
  return { ...networkCounters(devices, routes), ...diskCounters(disks) };
}

/** Of the interfaces that carry a default route: bridges and taps of guests would count the same bytes again. */
function networkCounters(
  devices: string,
  routes: string,
): Pick<KernelCounters, 'networkReceiveBytes' | 'networkTransmitBytes'> {
  const uplinks = new Set(
    rows(routes)
      .filter(([, destination]) => destination === DEFAULT_ROUTE)
      .map(([name]) => name),
  );
  const counted = rows(devices.replaceAll(':', ' ')).filter(([name]) => uplinks.has(name));
  return {
    networkReceiveBytes: sum(counted.map((fields) => fields[1])),
    networkTransmitBytes: sum(counted.map((fields) => fields[9])),
  };
}

function diskCounters(disks: string): Pick<KernelCounters, 'diskReadBytes' | 'diskWriteBytes'> {
  const counted = rows(disks).filter(([, , name]) => WHOLE_DISK.test(name ?? ''));
  return {
    diskReadBytes: sum(counted.map((fields) => fields[5])) * SECTOR_BYTES,
    diskWriteBytes: sum(counted.map((fields) => fields[9])) * SECTOR_BYTES,
  };
}

function rows(text: string): string[][] {
  return text.split('\n').map((line) => line.trim().split(/\s+/));
}

function sum(fields: readonly (string | undefined)[]): bigint {
  return fields.reduce((total, field) => total + (/^[0-9]+$/.test(field ?? '') ? BigInt(field ?? 0) : 0n), 0n);
}

async function readText(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw new DriverError('Failed', `cannot read the counters of this machine: ${String(error)}`, error);
  });
}
