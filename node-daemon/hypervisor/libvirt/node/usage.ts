// Counters of the machine and of every running domain.
import type { UsageCounters, UsageSample } from '#node-daemon/hypervisor/driver.ts';
import { type Ask, getAllStats, listDomains, STATS, STATS_OF } from '../rpc/domain-calls.ts';
import { getCpuStats } from '../rpc/node-calls.ts';
import type { Parameters } from '../rpc/values.ts';
import type { NodeCounterFiles } from '../settings.ts';
import { readKernelCounters } from './kernel-counters.ts';
import { nodeMemory } from './memory.ts';

const KIBIBYTE = 1024;
/** Each further group costs a question to every QEMU; these four are what is reported. */
const WANTED = STATS.cpuTotal | STATS.balloon | STATS.interface | STATS.block;

export interface UsageSources {
  /** False where the hypervisor counts nothing: its running domains come with zeros then. */
  readonly countsDomains: boolean;
  readonly nodeCounters: NodeCounterFiles | undefined;
}

export async function sampleUsage(ask: Ask, sources: UsageSources): Promise<UsageSample> {
  const [node, domains] = await Promise.all([
    nodeUsage(ask, sources.nodeCounters),
    sources.countsDomains ? countedDomains(ask) : uncountedDomains(ask),
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

async function countedDomains(ask: Ask): Promise<ReadonlyMap<string, UsageCounters>> {
  const stats = await getAllStats(ask, WANTED, STATS_OF.active | STATS_OF.noWait);
  return new Map(
    stats.flatMap(({ uuid, values }) => {
      const counters = domainUsage(values);
      return counters === undefined ? [] : [[uuid, counters] as const];
    }),
  );
}

async function uncountedDomains(ask: Ask): Promise<ReadonlyMap<string, UsageCounters>> {
  const nothing = domainUsage(new Map([['cpu.time', 0n]]));
  const active = (await listDomains(ask)).filter((handle) => handle.active);
  return new Map(active.flatMap(({ uuid }) => (nothing === undefined ? [] : [[uuid, nothing] as const])));
}

/** Undefined where the domain did not answer: without its processor time the rest says little. */
export function domainUsage(values: Parameters): UsageCounters | undefined {
  const cpuNanoseconds = values.get('cpu.time');
  if (cpuNanoseconds === undefined) {
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
  return Number(count(values.get('balloon.rss') ?? values.get('balloon.current'))) * KIBIBYTE;
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
