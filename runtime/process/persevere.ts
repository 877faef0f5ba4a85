// What a program cannot begin without is asked for until it is there, and /readyz and the log say what is missing.
import { backoff } from '../clock/backoff.ts';
import type { Clock, Random } from '../clock/clock.ts';
import { isKubeError, type KubeError } from '../kube/errors.ts';
import { type Advice, inWords } from '../kube/explain.ts';
import type { Logger } from './log.ts';

/** How a program waits, and whom it tells. */
export interface Patience {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Told what is missing, and undefined when it no longer is. */
  readonly tell?: (fault: string | undefined) => void;
}

export interface Perseverance extends Patience {
  /** Completes "waiting until …". */
  readonly until: string;
  readonly advice?: Advice;
}

const RETRY = { baseMs: 500, maxMs: 30_000 };

/** The result of the first try without a KubeError. Rejects with any other error, and with the signal's reason. */
export async function persevere<T>(
  perseverance: Perseverance,
  work: (signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const { clock, random, tell } = perseverance;
  const retries = backoff(RETRY, random);
  for (;;) {
    signal.throwIfAborted();
    try {
      const result = await work(signal);
      tell?.(undefined);
      return result;
    } catch (error) {
      if (signal.aborted || !isKubeError(error)) throw error;
      const milliseconds = Math.max(retries.next(), (error.retryAfterSeconds ?? 0) * 1000);
      report(perseverance, error, milliseconds);
      await clock.sleep(milliseconds, signal);
    }
  }
}

function report({ logger, until, advice, tell }: Perseverance, error: KubeError, milliseconds: number): void {
  const why = inWords(error, advice);
  logger.warn(`waiting until ${until}`, { why, reason: error.reason, retryInMs: Math.round(milliseconds) });
  tell?.(why);
}
