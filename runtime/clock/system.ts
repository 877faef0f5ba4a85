// The machine's own time.
import type { Clock, Random } from './clock.ts';

/** Timers of Node overflow at 2^31 ms and then fire at once. */
const LONGEST_TIMER = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: async (milliseconds, signal) => {
    for (let left = milliseconds; left > LONGEST_TIMER; left -= LONGEST_TIMER) {
      await oneTimer(LONGEST_TIMER, signal);
    }
    await oneTimer(milliseconds % LONGEST_TIMER, signal);
  },
};

export const systemRandom: Random = () => Math.random();

function oneTimer(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, milliseconds);
    function onAbort(): void {
      clearTimeout(timer);
      reject(signal?.reason);
    }
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
