// The histories of all guests of a node.
import type { UsageSample } from '../hypervisor/driver.ts';
import { addSample, LONGEST_WINDOW, NO_HISTORY, type UsageHistory } from './averages.ts';

export type UsageHistories = ReadonlyMap<string, UsageHistory>;

/**
 * The histories with one more sample, taken at `at` milliseconds of a clock that never goes back. A guest that is not
 * in the sample (it is off, or it hangs) is remembered for fifteen minutes and then forgotten.
 */
export function addUsageSample(histories: UsageHistories, domains: UsageSample['domains'], at: number): UsageHistories {
  const next = new Map<string, UsageHistory>();
  for (const [uuid, history] of histories) {
    if (history.last !== undefined && at - history.last.at < LONGEST_WINDOW) {
      next.set(uuid, history);
    }
  }
  for (const [uuid, counters] of domains) {
    next.set(uuid, addSample(next.get(uuid) ?? NO_HISTORY, counters, at));
  }
  return next;
}
