// Faults that were ordered for the verbs of the simulated driver.
import type { HypervisorDriver } from '../driver.ts';
import type { DriverErrorReason } from '../errors.ts';

export type Verb = Exclude<keyof HypervisorDriver, 'name' | 'watch' | 'close'>;

export interface Fault {
  /** Any verb where this is left out. */
  readonly verb?: Verb;
  /** Any domain where this is left out. */
  readonly uuid?: string;
  /** How the call ends. Hang: not before the driver's deadline, and then with Timeout. */
  readonly outcome: 'Hang' | DriverErrorReason;
  readonly message?: string;
  /** Whether the verb takes effect all the same, as it may where only the answer was lost. */
  readonly takesEffect?: boolean;
  /** For how many calls; once where this is left out. */
  readonly times?: number;
}

export class FaultPlan {
  #ordered: { readonly fault: Fault; left: number }[] = [];

  order(fault: Fault): void {
    this.#ordered.push({ fault, left: fault.times ?? 1 });
  }

  clear(): void {
    this.#ordered = [];
  }

  /** The first fault ordered for this call, counted as used. */
  take(verb: Verb, uuid: string | undefined): Fault | undefined {
    const entry = this.#ordered.find(({ fault }) => concerns(fault, verb, uuid));
    if (entry === undefined) {
      return undefined;
    }
    entry.left -= 1;
    if (entry.left <= 0) {
      this.#ordered = this.#ordered.filter((other) => other !== entry);
    }
    return entry.fault;
  }
}

function concerns(fault: Fault, verb: Verb, uuid: string | undefined): boolean {
  return (fault.verb ?? verb) === verb && (fault.uuid ?? uuid) === uuid;
}
