// What simulated guests use: counters as pure functions of time.
import type { Random } from '#runtime/clock/clock.ts';
import type { Feature, UsageCounters } from '../driver.ts';

/** The counters of a guest so many milliseconds after its load began. They must not fall. */
export type Load = (elapsedMilliseconds: number) => UsageCounters;

export interface LoadRates {
  /** Thousandths of one CPU. */
  readonly cpuMillis: number;
  readonly memoryBytes: number;
  /** Bytes per second. */
  readonly networkReceive: number;
  readonly networkTransmit: number;
  readonly diskRead: number;
  readonly diskWrite: number;
}

export const NOTHING_COUNTED: UsageCounters = {
  cpuNanoseconds: 0n,
  memoryBytes: 0,
  networkReceiveBytes: 0n,
  networkTransmitBytes: 0n,
  diskReadBytes: 0n,
  diskWriteBytes: 0n,
};

/** The same rates all the time. */
export function steadyLoad(rates: LoadRates): Load {
  return (elapsed) => countersAt(rates, elapsed, 1);
}

/**
 * Rates that swing around their mean by `share` (0 to 1) as a cosine. The counters are its integral,
 * t + share · sin(ωt + φ) / ω, which never falls.
 */
export function swingingLoad(
  rates: LoadRates,
  swing: { readonly share: number; readonly periodMilliseconds: number; readonly phase?: number },
): Load {
  const omega = (2 * Math.PI) / swing.periodMilliseconds;
  const phase = swing.phase ?? 0;
  const { share } = swing;
  return (elapsed) => {
    const effective = elapsed + (share * (Math.sin(omega * elapsed + phase) - Math.sin(phase))) / omega;
    return countersAt(rates, effective, 1 + share * Math.cos(omega * elapsed + phase));
  };
}

/** As `swingingLoad`, with a period of 5 to 60 s and a phase by chance, so that no two guests move together. */
export function jitteryLoad(rates: LoadRates, share: number, random: Random): Load {
  return swingingLoad(rates, { share, periodMilliseconds: 5_000 + 55_000 * random(), phase: 2 * Math.PI * random() });
}

function countersAt(rates: LoadRates, milliseconds: number, memoryFactor: number): UsageCounters {
  const bytes = (perSecond: number): bigint => BigInt(Math.floor((perSecond * milliseconds) / 1_000));
  return {
    // A thousandth of a CPU for one millisecond is a microsecond of processor time.
    cpuNanoseconds: BigInt(Math.floor(rates.cpuMillis * milliseconds * 1_000)),
    memoryBytes: Math.round(rates.memoryBytes * memoryFactor),
    networkReceiveBytes: bytes(rates.networkReceive),
    networkTransmitBytes: bytes(rates.networkTransmit),
    diskReadBytes: bytes(rates.diskRead),
    diskWriteBytes: bytes(rates.diskWrite),
  };
}

/** Sums; memory too, as of guests that run side by side. */
export function addCounters(a: UsageCounters, b: UsageCounters): UsageCounters {
  return {
    cpuNanoseconds: a.cpuNanoseconds + b.cpuNanoseconds,
    memoryBytes: a.memoryBytes + b.memoryBytes,
    networkReceiveBytes: a.networkReceiveBytes + b.networkReceiveBytes,
    networkTransmitBytes: a.networkTransmitBytes + b.networkTransmitBytes,
    diskReadBytes: a.diskReadBytes + b.diskReadBytes,
    diskWriteBytes: a.diskWriteBytes + b.diskWriteBytes,
  };
}

/** The counters that a hypervisor with these features can tell; the others stay at 0. */
export function maskCounters(counters: UsageCounters, features: ReadonlySet<Feature>): UsageCounters {
  const { cpuNanoseconds, memoryBytes, networkReceiveBytes, networkTransmitBytes, diskReadBytes, diskWriteBytes } =
    counters;
  return {
    ...NOTHING_COUNTED,
    ...(features.has('CpuUsage') ? { cpuNanoseconds } : {}),
    ...(features.has('MemoryUsage') ? { memoryBytes } : {}),
    ...(features.has('NetworkUsage') ? { networkReceiveBytes, networkTransmitBytes } : {}),
    ...(features.has('DiskUsage') ? { diskReadBytes, diskWriteBytes } : {}),
  };
}
