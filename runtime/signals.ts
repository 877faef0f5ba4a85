// Waiting for the end of something, and putting an end to something.
import type { Clock } from './clock.ts';
import { KubeError } from './kube/errors.ts';

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
 * Runs `work` with a signal that aborts with `outer` or when the time is up. Rejects at that moment, with the outer
 * reason or a KubeError Timeout, even where the work does not listen to its signal.
 */
export async function withDeadline<T>(
  clock: Clock,
  milliseconds: number,
  outer: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  outer?.throwIfAborted();
  const cut = new AbortController();
  const settled = new AbortController();
  const ended = new Promise<never>((_, reject) => {
    cut.signal.addEventListener('abort', () => reject(cut.signal.reason), { once: true });
  });
  outer?.addEventListener('abort', () => cut.abort(outer.reason), { signal: settled.signal });
  const late = () => cut.abort(new KubeError('Timeout', `no answer within ${Math.ceil(milliseconds)} ms`));
  void clock.sleep(milliseconds, settled.signal).then(late, () => undefined);
  try {
    return await Promise.race([work(cut.signal), ended]);
  } finally {
    settled.abort();
  }
}
