// What can go wrong between a client and the simulated API server, on demand.
import type { KubeError } from '../errors.ts';
import type { WriteVerb } from './kind-model.ts';

/** One call as it is on its way. `key` is missing for list and watch. */
export interface Call {
  readonly verb: WriteVerb | 'get' | 'list' | 'watch' | 'mayDo';
  readonly kind: string;
  readonly key?: string;
  readonly subresource?: 'status';
  readonly user: string;
}

export interface Fault {
  /** Which calls it strikes; all when left out. */
  readonly match?: (call: Call) => boolean;
  /** How many of them; 1 when left out. */
  readonly times?: number;
  /** Milliseconds before the server sees the call. */
  readonly requestDelay?: () => number;
  /** Milliseconds before the caller sees the answer. */
  readonly answerDelay?: () => number;
  /** The server never sees the call. */
  readonly refuse?: KubeError;
  /** The server does what was asked, and the caller gets this. */
  readonly loseAnswer?: KubeError;
}

/** Faults waiting to strike; of several that match a call, the one added first does. */
export class Faults {
  #waiting: { fault: Fault; left: number }[] = [];

  add(fault: Fault): void {
    this.#waiting.push({ fault, left: fault.times ?? 1 });
  }

  clear(): void {
    this.#waiting = [];
  }

  /** The fault that strikes this call, used up by it. */
  take(call: Call): Fault {
    const found = this.#waiting.find(({ fault }) => fault.match?.(call) ?? true);
    if (found === undefined) {
      return {};
    }
    found.left -= 1;
    this.#waiting = this.#waiting.filter(({ left }) => left > 0);
    return found.fault;
  }
}
