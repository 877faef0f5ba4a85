// How long a reflector waits before it tries again.
import { backoffDelay } from '../clock/backoff.ts';
import type { Random } from '../clock/clock.ts';
import { isKubeError } from '../kube/errors.ts';

/** A server that answers, but not with what was asked, is spared. */
const ANSWERED = { baseMs: 500, maxMs: 30_000 };

/** A server that is not there cannot be harmed, and must be found within seconds of its return. */
const UNREACHABLE = { baseMs: 500, maxMs: 5_000 };

/** Counts failures in a row, apart for each of the two sorts: a server that is back begins with a clean slate. */
export class RetryPace {
  readonly #random: Random;
  #failures = 0;
  #unreachable = false;

  constructor(random: Random) {
    this.#random = random;
  }

  get failures(): number {
    return this.#failures;
  }

  succeeded(): void {
    this.#failures = 0;
  }

  /**
   * Milliseconds to wait after one more failure, never less than the server asked for. A first Gone is no failure of
   * anybody: the answer is a new list, at once.
   */
  failed(error: unknown): number {
    const unreachable = isKubeError(error, 'Unreachable');
    this.#failures = unreachable === this.#unreachable ? this.#failures + 1 : 1;
    this.#unreachable = unreachable;
    if (isKubeError(error, 'Gone') && this.#failures === 1) {
      return 0;
    }
    const delay = backoffDelay(unreachable ? UNREACHABLE : ANSWERED, this.#failures, this.#random);
    const asked = isKubeError(error) ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
    return Math.max(asked, delay);
  }
}
