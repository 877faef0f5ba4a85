// Waiting longer after every failure in a row, a little differently each time so that many waiters do not return together.
import type { Random } from './clock.ts';

export interface BackoffOptions {
  /** The first wait, before jitter. */
  readonly baseMs: number;
  /** No wait is longer. */
  readonly maxMs: number;
  /** The share of a wait, from 0 to 1, that chance may take off; 0.5 by default. */
  readonly jitter?: number;
}

export interface Backoff {
  /** Milliseconds to wait after one more failure. */
  next(): number;
  /** After a success: the next wait is the first one again. */
  reset(): void;
}

/**
 * The wait in milliseconds after `failures` failures in a row (1 is the first):
 * min(maxMs, baseMs · 2^(failures − 1)), less a random share of up to `jitter` of it. Never above maxMs.
 */
export function backoffDelay(options: BackoffOptions, failures: number, random: Random): number {
  const { baseMs, maxMs, jitter = 0.5 } = options;
  const full = Math.min(maxMs, baseMs * 2 ** (Math.max(1, failures) - 1));
  return full * (1 - jitter * random());
}

/** `backoffDelay` with the count kept inside. */
export function backoff(options: BackoffOptions, random: Random): Backoff {
  let failures = 0;
  return {
    next() {
      failures += 1;
      return backoffDelay(options, failures, random);
    },
    reset() {
      failures = 0;
    },
  };
}
