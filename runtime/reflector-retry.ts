// How long a reflector waits before it tries again.
import { backoffDelay } from './backoff.ts';
import type { Random } from './clock.ts';
import { isKubeError } from './kube/errors.ts';

/** A server that answers, but not with what was asked, is spared. */
const ANSWERED = { baseMs: 500, maxMs: 30_000 };

/** A server that is not there cannot be harmed, and must be found within seconds of its return. */
const UNREACHABLE = { baseMs: 500, maxMs: 5_000 };

/**
 * Milliseconds to wait after so many failures in a row (1 is the first), never less than the server asked for. A first
 * Gone is no failure of anybody: the answer is a new list, at once.
 */
export function retryDelay(error: unknown, failures: number, random: Random): number {
  if (isKubeError(error, 'Gone') && failures <= 1) {
    return 0;
  }
  const delay = backoffDelay(isKubeError(error, 'Unreachable') ? UNREACHABLE : ANSWERED, failures, random);
  const asked = isKubeError(error) ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
  return Math.max(asked, delay);
}
