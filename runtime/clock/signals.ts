// Waiting for the end of something, and putting an end to something.
import type { Clock } from './clock.ts';
import { withDeadline } from './deadline.ts';

/** Resolves when any of the signals aborts; never rejects. */
export async function whenAborted(...signals: AbortSignal[]): Promise<void> {
  if (signals.some((signal) => signal.aborted)) {
    return;
  }
  const settled = new AbortController();
  await new Promise<void>((resolve) => {
    for (const signal of signals) {
      signal.addEventListener('abort', () => resolve(), { signal: settled.signal });
    }
  });
  settled.abort();
}

/** Sleeps, or wakes early when the signal aborts; never rejects. */
export async function pause(clock: Clock, milliseconds: number, signal: AbortSignal): Promise<void> {
  await clock.sleep(milliseconds, signal).catch(() => undefined);
}

/**
 * `withDeadline` for work that may not listen to its signal: rejects with the signal's reason in the moment in which it
 * aborts, whatever the work does.
 */
export async function withHardDeadline<R>(
  limit: { clock: Clock; milliseconds: number; signal?: AbortSignal | undefined },
  work: (signal: AbortSignal) => Promise<R>,
): Promise<R> {
  return withDeadline(limit, async (signal) => Promise.race([rejectionOf(signal), work(signal)]));
}

async function rejectionOf(signal: AbortSignal): Promise<never> {
  await whenAborted(signal);
  throw signal.reason;
}
