// The loop that every kind shares: a queue of keys, some workers, one place for retries, back-off, logs and metrics.
import { type BackoffOptions, backoffDelay } from '../clock/backoff.ts';
import type { Clock, Random } from '../clock/clock.ts';
import { pause, whenAborted } from '../clock/signals.ts';
import { isKubeError } from '../kube/errors.ts';
import type { Logger } from '../process/log.ts';
import { WorkQueue, type WorkQueueObserver } from './work-queue.ts';

export interface ReconcileResult {
  /** Come back after so many milliseconds, though nothing changed; left out, wait for a change. */
  again?: number;
}

/**
 * Makes the world match what is declared for one key, from whatever state it is in. Never runs twice at a time for one
 * key. A rejection is retried: with Conflict at once, with all else after a back-off. The signal aborts when its time
 * is up; after that it must not write.
 */
export type Reconcile = (key: string, signal: AbortSignal) => Promise<ReconcileResult>;

export type ReconcileOutcome = 'done' | 'again' | 'conflict' | 'error';

/** Told what happens, for metrics. */
export interface ControllerObserver extends WorkQueueObserver {
  reconciled?(outcome: ReconcileOutcome, seconds: number): void;
}

export interface ControllerOptions {
  /** For logs: the kind or the verb, as in "virtual-machine". */
  name: string;
  reconcile: Reconcile;
  clock: Clock;
  random: Random;
  logger: Logger;
  /** Keys worked on at a time; 4 by default. */
  workers?: number;
  backoff?: BackoffOptions;
  /** How long `run` lets reconciles in flight finish after `stop`; 10 seconds by default. */
  drainMs?: number;
  observer?: ControllerObserver | undefined;
}

/** So many conflicts in a row are somebody else's writes; one more is a fault like any other. */
const QUIET_CONFLICTS = 5;
/** From the second conflict on: the cache that was read may be a moment behind. */
const CONFLICT_BACKOFF: BackoffOptions = { baseMs: 20, maxMs: 1000 };
/** What an aborted reconcile gets to notice that it is. */
const ABORT_GRACE_MS = 1000;

export class Controller {
  readonly #options: ControllerOptions;
  readonly #queue: WorkQueue;
  readonly #logger: Logger;
  /** Key → conflicts in a row. */
  readonly #conflicts = new Map<string, number>();
  /** Key → what it failed with last, so that the same failure is not told at every retry. */
  readonly #failing = new Map<string, string>();
  readonly #abandon = new AbortController();

  constructor(options: ControllerOptions) {
    this.#options = options;
    this.#queue = new WorkQueue(options);
    this.#logger = options.logger.child({ controller: options.name });
  }

  /** Something may have changed for this key. Cheap, and right to call too often; may be called before `run`. */
  enqueue(key: string): void {
    this.#queue.add(key);
  }

  /**
   * Works until `stop` aborts. Then begins nothing new, lets reconciles in flight finish for `drainMs`, aborts their
   * signals and resolves. `abandon` (leadership lost) aborts them without waiting. Never rejects. Runs once.
   */
  async run(stop: AbortSignal, abandon: AbortSignal = new AbortController().signal): Promise<void> {
    const workers = Array.from({ length: this.#options.workers ?? 4 }, async () => this.#work());
    await whenAborted(stop, abandon);
    this.#queue.close();
    if (!(await this.#finish(workers, this.#options.drainMs ?? 10_000, abandon))) {
      this.#abandon.abort();
      await this.#finish(workers, ABORT_GRACE_MS);
    }
  }

  /** True when all workers went home in time. */
  async #finish(workers: Promise<void>[], milliseconds: number, early?: AbortSignal): Promise<boolean> {
    const over = new AbortController();
    const finished = Promise.all(workers).then(() => true);
    const timeUp = pause(this.#options.clock, milliseconds, over.signal).then(() => false);
    const cut = early === undefined ? [] : [whenAborted(early, over.signal).then(() => false)];
    const result = await Promise.race([finished, timeUp, ...cut]);
    over.abort();
    return result;
  }

  async #work(): Promise<void> {
    for (let key = await this.#queue.take(); key !== undefined; key = await this.#queue.take()) {
      await this.#process(key);
      this.#queue.done(key);
    }
  }

  async #process(key: string): Promise<void> {
    const { clock, reconcile, observer } = this.#options;
    const began = clock.monotonic();
    let outcome: ReconcileOutcome;
    try {
      outcome = this.#succeeded(key, await reconcile(key, this.#abandon.signal));
    } catch (error) {
      outcome = this.#failed(key, error);
    }
    observer?.reconciled?.(outcome, (clock.monotonic() - began) / 1000);
  }

  #succeeded(key: string, { again }: ReconcileResult): ReconcileOutcome {
    if (this.#failing.delete(key)) {
      this.#logger.info('reconciled again after failures', { key, failures: this.#queue.failures(key) });
    }
    this.#conflicts.delete(key);
    this.#queue.forget(key);
    if (again === undefined) {
      return 'done';
    }
    this.#queue.addAfter(key, again);
    return 'again';
  }

  #failed(key: string, error: unknown): ReconcileOutcome {
    if (this.#abandon.signal.aborted) {
      return 'error';
    }
    const conflicts = isKubeError(error, 'Conflict') ? (this.#conflicts.get(key) ?? 0) + 1 : 0;
    this.#conflicts.set(key, conflicts);
    if (conflicts > 0 && conflicts <= QUIET_CONFLICTS) {
      this.#retryConflict(key, conflicts);
      return 'conflict';
    }
    this.#tell(key, error);
    this.#queue.addAfterFailure(key, isKubeError(error) ? (error.retryAfterSeconds ?? 0) * 1000 : 0);
    return 'error';
  }

  #retryConflict(key: string, conflicts: number): void {
    this.#logger.debug('the object has changed meanwhile, reading it again', { key, conflicts });
    const wait = conflicts === 1 ? 0 : backoffDelay(CONFLICT_BACKOFF, conflicts - 1, this.#options.random);
    this.#queue.addAfter(key, wait);
  }

  /** A failure is an error in the log when it is new, and a detail while it stays the same. */
  #tell(key: string, error: unknown): void {
    const text = String(error);
    const level = this.#failing.get(key) === text ? 'debug' : 'error';
    this.#failing.set(key, text);
    this.#logger[level]('reconcile failed, will be retried', { key, error, failures: this.#queue.failures(key) + 1 });
  }
}
