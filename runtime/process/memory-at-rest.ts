// Gives memory back to the machine once the work is done. V8 collects garbage when memory is asked for: a program that has
// just worked off a thousand objects, and then rests, keeps what that took for as long as it rests.
import { performance } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Clock } from '../clock/clock.ts';
import { pause } from '../clock/signals.ts';

const LOOK_EVERY_MS = 20_000;
/** At rest: busy for less than this share of the time between two looks. One that waits for a slow server is not. */
const AT_REST = 0.05;
/** Not worth a collection. */
const WORTH_BYTES = 8 * 2 ** 20;

/**
 * Until the signal aborts; never rejects. Collects once after each spell of work, in some ten milliseconds for each
 * thousand objects that are kept, during which nothing else happens.
 */
export async function giveMemoryBackAtRest(clock: Clock, signal: AbortSignal): Promise<void> {
  const collect = collector();
  let kept = process.memoryUsage().heapTotal;
  while (!signal.aborted) {
    const before = performance.eventLoopUtilization();
    await pause(clock, LOOK_EVERY_MS, signal);
    const { heapTotal } = process.memoryUsage();
    const isAtRest = performance.eventLoopUtilization(before).utilization < AT_REST;
    if (!isAtRest || heapTotal < kept + WORTH_BYTES) continue;
    collect();
    kept = process.memoryUsage().heapTotal;
  }
}

/** The thorough collection that Node keeps for itself unless it is started with --expose-gc. */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: object) => void;
  return () => collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
