// What was asked of the simulated hypervisor, for tests to look at.
import type { DriverErrorReason } from '../errors.ts';
import type { Verb } from './faults.ts';

export interface Call {
  readonly verb: Verb;
  readonly uuid?: string;
  /** Milliseconds on the monotonic clock. */
  readonly at: number;
  outcome: 'Pending' | 'Done' | DriverErrorReason;
}

/** Keeps the latest calls, at least half of `limit` and at most `limit` of them; it counts all. */
export class CallLog {
  readonly #limit: number;
  readonly #counts = new Map<Verb, number>();
  #calls: Call[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  get calls(): readonly Call[] {
    return this.#calls;
  }

  /** How often a verb was called since the beginning or since `clear`. */
  count(verb: Verb): number {
    return this.#counts.get(verb) ?? 0;
  }

  add(verb: Verb, uuid: string | undefined, at: number): Call {
    const call: Call = { verb, at, outcome: 'Pending', ...(uuid === undefined ? {} : { uuid }) };
    if (this.#calls.length >= this.#limit) {
      this.#calls = this.#calls.slice(-Math.floor(this.#limit / 2));
    }
    this.#calls.push(call);
    this.#counts.set(verb, this.count(verb) + 1);
    return call;
  }

  clear(): void {
    this.#calls = [];
    this.#counts.clear();
  }
}
