// Time that stands still until it is told to go on: for tests and simulations.
import { setImmediate as macrotask } from 'node:timers/promises';
import type { Clock } from './clock.ts';

interface Sleeper {
  readonly due: number;
  wake(): void;
}

/**
 * Deterministic as long as whatever sleeps on it waits for nothing but promises: sleepers wake in the order of their
 * time and, at the same time, in the order in which they lay down; after each, everything it sets off by promises runs
 * to its end before the next one wakes.
 */
export class VirtualClock implements Clock {
  #monotonic = 0;
  #wallOffset: number;
  /** Sorted by time, then by arrival. */
  readonly #sleepers: Sleeper[] = [];

  constructor(options: { startsAt?: number } = {}) {
    this.#wallOffset = options.startsAt ?? Date.UTC(2026, 0, 1);
  }

  now(): number {
    return this.#monotonic + this.#wallOffset;
  }

  monotonic(): number {
    return this.#monotonic;
  }

  /** How many are asleep. */
  get sleeping(): number {
    return this.#sleepers.length;
  }

  sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const sleeper: Sleeper = {
        due: this.#monotonic + Math.max(0, milliseconds),
        wake: () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      const onAbort = (): void => {
        this.#remove(sleeper);
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#insert(sleeper);
    });
  }

  /** Lets this much time pass, waking every sleeper that falls due, those included who lie down meanwhile. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.#monotonic + milliseconds;
    await settle();
    for (let next = this.#sleepers[0]; next !== undefined && next.due <= end; next = this.#sleepers[0]) {
      this.#sleepers.shift();
      this.#monotonic = next.due;
      next.wake();
      await settle();
    }
    this.#monotonic = end;
  }

  /** The wall clock is set, forwards or backwards; no time passes. */
  jumpWallTime(milliseconds: number): void {
    this.#wallOffset += milliseconds;
  }

  #insert(sleeper: Sleeper): void {
    const later = this.#sleepers.findIndex(({ due }) => due > sleeper.due);
    this.#sleepers.splice(later < 0 ? this.#sleepers.length : later, 0, sleeper);
  }

  #remove(sleeper: Sleeper): void {
    const index = this.#sleepers.indexOf(sleeper);
    if (index >= 0) {
      this.#sleepers.splice(index, 1);
    }
  }
}

/** Everything that is under way by promises alone runs to its end. */
export async function settle(): Promise<void> {
  await macrotask();
}
