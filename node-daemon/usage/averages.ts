// Averages over 1, 5 and 15 minutes from counters.
//
// Sliding windows over the counters themselves, not the exponentially damped averages of a Unix load: the API promises
// "the average over the last minute", and a difference of counters is exactly that, however regular the samples are. A
// damped average has seen only 63 % of a new steady load after one time constant. Counters that fall are taken as
// begun anew at 0, as in Prometheus (https://prometheus.io/docs/prometheus/latest/querying/functions/#rate); unlike
// there, nothing is extrapolated: what was not observed is not part of the average.
import type { UsageCounters } from '../hypervisor/driver.ts';
import { perResource, perWindow, RESOURCES, type Resource, type UsageAverages, type Window } from './resources.ts';

/** What is remembered of one guest or node. At most 15 minutes, at most `SPANS_MAX` spans. */
export interface UsageHistory {
  readonly last: { readonly counters: UsageCounters; readonly at: number } | undefined;
  /** Oldest first, without gaps: each begins where the one before ends. */
  readonly spans: readonly Span[];
}

interface Span {
  readonly milliseconds: number;
  /** Mean rates within the span, in the units of `UsageAverages`. */
  readonly rates: Readonly<Record<Resource, number>>;
}

const MINUTE = 60_000;
const LENGTHS: Readonly<Record<Window, number>> = {
  oneMinute: MINUTE,
  fiveMinutes: 5 * MINUTE,
  fifteenMinutes: 15 * MINUTE,
};
export const LONGEST_WINDOW = LENGTHS.fifteenMinutes;
/** Samples that come sooner after one another than this are ignored, which bounds the memory. */
const SHORTEST_SPAN = 4_000;
export const SPANS_MAX = LONGEST_WINDOW / SHORTEST_SPAN + 1;

export const NO_HISTORY: UsageHistory = { last: undefined, spans: [] };

/**
 * The history with one more sample, taken at `at` milliseconds of a clock that never goes back. Missing samples do no
 * harm: counters tell what was used meanwhile. A sample within four seconds of the last is ignored.
 */
export function addSample(history: UsageHistory, counters: UsageCounters, at: number): UsageHistory {
  const { last, spans } = history;
  if (last === undefined) {
    return { last: { counters, at }, spans };
  }
  const milliseconds = at - last.at;
  if (milliseconds < SHORTEST_SPAN) {
    return history;
  }
  const span = { milliseconds, rates: ratesBetween(last.counters, counters, milliseconds) };
  return { last: { counters, at }, spans: withinLongest([...spans, span]) };
}

/**
 * The averages at the time of the last sample, or undefined before the second one. A window that reaches back beyond
 * the first sample is averaged over what was seen: after 20 s all three are the mean of these 20 s.
 */
export function averagesOf({ spans }: UsageHistory): UsageAverages | undefined {
  if (spans.length === 0) {
    return undefined;
  }
  const means = perWindow((window) => meanOver(spans, LENGTHS[window]));
  return perResource((resource) => perWindow((window) => means[window][resource]));
}

function ratesBetween(before: UsageCounters, after: UsageCounters, milliseconds: number): Span['rates'] {
  const perSecond = (from: bigint, to: bigint): number => (Number(increase(from, to)) * 1_000) / milliseconds;
  return {
    // A microsecond of processor time per millisecond is a thousandth of a CPU.
    cpu: Number(increase(before.cpuNanoseconds, after.cpuNanoseconds)) / 1_000 / milliseconds,
    // Memory is no counter: between two samples it is taken to have moved in a straight line.
    memory: (before.memoryBytes + after.memoryBytes) / 2,
    networkReceive: perSecond(before.networkReceiveBytes, after.networkReceiveBytes),
    networkTransmit: perSecond(before.networkTransmitBytes, after.networkTransmitBytes),
    diskRead: perSecond(before.diskReadBytes, after.diskReadBytes),
    diskWrite: perSecond(before.diskWriteBytes, after.diskWriteBytes),
  };
}

/** A counter that fell began anew at 0: all that it shows came after. */
function increase(before: bigint, after: bigint): bigint {
  return after >= before ? after - before : after;
}

/** Drops the oldest spans as long as the others reach back far enough. */
function withinLongest(spans: readonly Span[]): readonly Span[] {
  let kept = spans.length;
  let reach = 0;
  while (kept > 0 && reach < LONGEST_WINDOW) {
    kept -= 1;
    reach += spans[kept]?.milliseconds ?? 0;
  }
  return kept === 0 ? spans : spans.slice(kept);
}

/** Mean rates over the last `window` milliseconds, weighted by time; of the span it cuts, the part within counts. */
function meanOver(spans: readonly Span[], window: number): Record<Resource, number> {
  const sum = perResource(() => 0);
  let seen = 0;
  for (let index = spans.length - 1; index >= 0 && seen < window; index -= 1) {
    const span = spans[index];
    if (span !== undefined) {
      const part = Math.min(span.milliseconds, window - seen);
      addWeighted(sum, span.rates, part);
      seen += part;
    }
  }
  return perResource((resource) => sum[resource] / seen);
}

/** Adds in place: this is the one loop that runs for every guest and span. */
function addWeighted(sum: Record<Resource, number>, rates: Span['rates'], weight: number): void {
  for (const resource of RESOURCES) {
    sum[resource] += rates[resource] * weight;
  }
}
