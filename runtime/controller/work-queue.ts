// Which keys want work, in what order and not before when. Semantics as in client-go's workqueue: a key waits in the
// queue at most once, is never handed to two workers, and one added while it is worked on comes again once after that.
import { type BackoffOptions, backoffDelay } from '../clock/backoff.ts';
import type { Clock, Random } from '../clock/clock.ts';

/** Told what happens, for metrics; `depth` is how many keys are ready then. */
export interface WorkQueueObserver {
  added?(depth: number): void;
  taken?(waitedMs: number, depth: number): void;
  retried?(): void;
}

export interface WorkQueueOptions {
  clock: Clock;
  random: Random;
  /** Between the retries of one key; 100 ms to 5 minutes by default. */
  backoff?: BackoffOptions;
  observer?: WorkQueueObserver | undefined;
}

interface Delay {
  due: number;
  cancel: AbortController;
}

const DEFAULT_BACKOFF: BackoffOptions = { baseMs: 100, maxMs: 300_000 };

/** Timers wrap around after 24.8 days. A key that comes too early does no harm: its reconcile asks to wait again. */
const LONGEST_DELAY_MS = 86_400_000;

export class WorkQueue {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #backoff: BackoffOptions;
  readonly #observer: WorkQueueObserver;
  /** Key → when it became ready; in the order of arrival. */
  readonly #ready = new Map<string, number>();
  readonly #working = new Set<string>();
  readonly #addedWhileWorking = new Set<string>();
  readonly #delays = new Map<string, Delay>();
  readonly #failures = new Map<string, number>();
  readonly #idleWorkers: ((key: string | undefined) => void)[] = [];
  #closed = false;

  constructor({ clock, random, backoff = DEFAULT_BACKOFF, observer = {} }: WorkQueueOptions) {
    this.#clock = clock;
    this.#random = random;
    this.#backoff = backoff;
    this.#observer = observer;
  }

  /** Keys that are ready and wait for a worker. */
  get depth(): number {
    return this.#ready.size;
  }

  /** Ready as soon as a worker is free and no other works on it. */
  add(key: string): void {
    if (this.#closed) {
      return;
    }
    if (this.#working.has(key)) {
      this.#addedWhileWorking.add(key);
      return;
    }
    if (!this.#ready.has(key)) {
      this.#ready.set(key, this.#clock.monotonic());
      this.#observer.added?.(this.#ready.size);
      this.#serveIdleWorkers();
    }
  }

  /** `add` after a while, a day at most. Of several delays of one key the earliest holds. */
  addAfter(key: string, milliseconds: number): void {
    if (this.#closed) {
      return;
    }
    if (!(milliseconds > 0)) {
      this.add(key);
      return;
    }
    const due = this.#clock.monotonic() + Math.min(milliseconds, LONGEST_DELAY_MS);
    const present = this.#delays.get(key);
    if (present === undefined || due < present.due) {
      present?.cancel.abort();
      this.#delay(key, due);
    }
  }

  /** `addAfter` with a wait that grows, with jitter, until `forget`; `atLeastMs` where a server asked for longer. */
  addAfterFailure(key: string, atLeastMs = 0): void {
    const failures = this.failures(key) + 1;
    this.#failures.set(key, failures);
    this.#observer.retried?.();
    this.addAfter(key, Math.max(atLeastMs, backoffDelay(this.#backoff, failures, this.#random)));
  }

  /** Failures in a row since the last `forget`. */
  failures(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  /** The key succeeded: its next failure is the first again. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** The key that has been ready longest, once there is one; undefined when the queue is closed. Call `done` after. */
  async take(): Promise<string | undefined> {
    if (this.#closed) {
      return undefined;
    }
    return this.#takeReady() ?? new Promise((resolve) => this.#idleWorkers.push(resolve));
  }

  /** The worker has finished with a key that it took. */
  done(key: string): void {
    if (this.#working.delete(key) && this.#addedWhileWorking.delete(key)) {
      this.add(key);
    }
  }

  /** Drops what waits, ends all delays and sends idle workers home. Keys being worked on are not touched. */
  close(): void {
    this.#closed = true;
    for (const delay of this.#delays.values()) {
      delay.cancel.abort();
    }
    this.#delays.clear();
    this.#ready.clear();
    this.#addedWhileWorking.clear();
    for (const send of this.#idleWorkers.splice(0)) {
      send(undefined);
    }
  }

  #delay(key: string, due: number): void {
    const delay = { due, cancel: new AbortController() };
    const add = (): void => {
      if (this.#delays.get(key) === delay) {
        this.#delays.delete(key);
        this.add(key);
      }
    };
    this.#delays.set(key, delay);
    void this.#clock.sleep(due - this.#clock.monotonic(), delay.cancel.signal).then(add, () => undefined);
  }

  #serveIdleWorkers(): void {
    const send = this.#idleWorkers.shift();
    send?.(this.#takeReady());
  }

  #takeReady(): string | undefined {
    for (const [key, since] of this.#ready) {
      this.#ready.delete(key);
      this.#working.add(key);
      this.#observer.taken?.(this.#clock.monotonic() - since, this.#ready.size);
      return key;
    }
    return undefined;
  }
}
