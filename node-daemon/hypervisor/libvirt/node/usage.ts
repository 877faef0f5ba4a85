// Counters of the machine and of every running domain.
import type { UsageCounters, UsageSample } from '#node-daemon/hypervisor/driver.ts';
import { isDriverError } from '#node-daemon/hypervisor/errors.ts';
import { type Ask, type DomainStats, getAllStats, listDomains, STATS, STATS_OF } from '../rpc/domain-calls.ts';
import { getCpuStats } from '../rpc/node-calls.ts';
import type { Parameters } from '../rpc/values.ts';
import type { NodeCounterFiles } from '../settings.ts';
import { readKernelCounters } from './kernel-counters.ts';
import { nodeMemory } from './memory.ts';

const KIBIBYTE = 1024;
/** Each further group costs a question to every QEMU; these four are what is reported. */
const WANTED = STATS.cpuTotal | STATS.balloon | STATS.interface | STATS.block;

const NOTHING: UsageCounters = {
  cpuNanoseconds: 0n,
  memoryBytes: 0,
  networkReceiveBytes: 0n,
  networkTransmitBytes: 0n,
  diskReadBytes: 0n,
  diskWriteBytes: 0n,
};

/** At once; those of earlier samples are busy already. */
const MOST_PASSED_BY = 3;

export interface UsageSources {
  /** False where the hypervisor counts nothing: its running domains come with zeros then. */
  readonly countsDomains: boolean;
  readonly nodeCounters: NodeCounterFiles | undefined;
}

/** `measure` is for the one question that a guest may leave unanswered. */
export async function sampleUsage(ask: Ask, measure: Ask, sources: UsageSources): Promise<UsageSample> {
  const [node, domains] = await Promise.all([
    nodeUsage(ask, sources.nodeCounters),
    sources.countsDomains ? countedDomains(measure) : uncountedDomains(ask),
  ]);
  return { node, domains };
}

async function nodeUsage(ask: Ask, files: NodeCounterFiles | undefined): Promise<UsageCounters> {
  const [cpu, memory, kernel] = await Promise.all([getCpuStats(ask), nodeMemory(ask), readKernelCounters(files)]);
  return {
    cpuNanoseconds: (cpu.get('kernel') ?? 0n) + (cpu.get('user') ?? 0n),
    memoryBytes: Math.max(0, memory.totalBytes - memory.freeBytes),
    ...kernel,
  };
}

async function countedDomains(measure: Ask): Promise<ReadonlyMap<string, UsageCounters>> {
  const stats = await statsPastHungGuests(measure);
  return new Map(
    stats.flatMap(({ uuid, values }) => {
      const counters = domainUsage(values);
      return counters === undefined ? [] : [[uuid, counters] as const];
    }),
  );
}

/**
 * libvirt passes by a guest that is busy with another question, but not one that hangs and is idle: the first question
 * to it never ends. That makes it busy, and so the next one passes it by.
 */
async function statsPastHungGuests(measure: Ask): Promise<DomainStats[]> {
  for (let passedBy = 0; ; passedBy += 1) {
    try {
      return await getAllStats(measure, WANTED, STATS_OF.active | STATS_OF.noWait);
    } catch (error) {
      if (passedBy === MOST_PASSED_BY || !isDriverError(error, 'Timeout')) {
        throw error;
      }
    }
  }
}

async function uncountedDomains(ask: Ask): Promise<ReadonlyMap<string, UsageCounters>> {
  const active = (await listDomains(ask)).filter((handle) => handle.active);
  return new Map(active.map(({ uuid }) => [uuid, NOTHING]));
}

/** Undefined where the domain was passed by: its process was not asked for the memory it takes then. */
export function domainUsage(values: Parameters): UsageCounters | undefined {
  const cpuNanoseconds = values.get('cpu.time');
  if (cpuNanoseconds === undefined || !values.has('balloon.rss')) {
    return undefined;
  }
  return {
    cpuNanoseconds: count(cpuNanoseconds),
    memoryBytes: guestMemory(values),
    networkReceiveBytes: total(values, 'net', 'rx.bytes'),
    networkTransmitBytes: total(values, 'net', 'tx.bytes'),
    diskReadBytes: total(values, 'block', 'rd.bytes'),
    diskWriteBytes: total(values, 'block', 'wr.bytes'),
  };
}

/** What the guest says it cannot do without; where its balloon driver is silent, what its process takes of the machine. */
function guestMemory(values: Parameters): number {
  const available = values.get('balloon.available');
  const spare = values.get('balloon.usable') ?? values.get('balloon.unused');
  if (available !== undefined && spare !== undefined && count(available) > count(spare)) {
    return Number(count(available) - count(spare)) * KIBIBYTE;
  }
  return Number(count(values.get('balloon.rss'))) * KIBIBYTE;
}

/** Over all devices of a kind: net.0.rx.bytes, net.1.rx.bytes … */
function total(values: Parameters, group: string, field: string): bigint {
  const devices = Number(count(values.get(`${group}.count`)));
  return Array.from({ length: devices }, (_, index) => count(values.get(`${group}.${index}.${field}`))).reduce(
    (sum, value) => sum + value,
    0n,
  );
}

function count(value: number | bigint | boolean | string | undefined): bigint {
  return typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value)) ? BigInt(value) : 0n;
}
