// A limit on how long something may take.
import { ExpectedError } from '../process/expected-error.ts';
import type { Clock } from './clock.ts';

/**
 * Does the work with a signal that aborts when the time is up, or when the caller's own signal does, with that one's
 * reason. Settles as the work does: the work must heed its signal.
 */
export async function withDeadline<R>(
  { clock, milliseconds, signal }: { clock: Clock; milliseconds: number; signal?: AbortSignal | undefined },
  work: (signal: AbortSignal) => Promise<R>,
): Promise<R> {
  const limit = new AbortController();
  const done = new AbortController();
  const onAbort = (): void => limit.abort(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted) {
    onAbort();
  }
  const expire = (): void => limit.abort(new DeadlineExceeded(milliseconds));
  clock.sleep(milliseconds, done.signal).then(expire, () => undefined);
  try {
    return await work(limit.signal);
  } finally {
    // With a reason of our own: to make one up costs the runtime an error with a stack, for every request.
    done.abort(DONE);
    signal?.removeEventListener('abort', onAbort);
  }
}

const DONE = 'done in time';

/** The reason of a signal whose time is up. */
export class DeadlineExceeded extends ExpectedError {
  constructor(milliseconds: number) {
    super(`not done within ${milliseconds / 1000} s`);
    this.name = 'DeadlineExceeded';
  }
}
