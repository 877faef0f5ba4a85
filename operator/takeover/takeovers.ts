// What is known of hypervisors that fell silent and whose VMs are to be started elsewhere. Losing it on a restart costs
// time, never correctness.
import type { Proof } from '#crds/v1alpha1/virtual-machine-status.ts';
import type { FenceOutcome } from './fencer.ts';

export type Recovery =
  /** Not yet, and why not. */
  | { readonly kind: 'Waiting'; readonly why: string }
  /** Its guests are dead, or those that its guard knew of, and its daemon cannot begin anew up to a moment. */
  | { readonly kind: 'Proven'; readonly proof: Proof; readonly until: number };

export interface Memory {
  readonly recovery?: Recovery;
  /** The renewal of the Lease after which the machine was fenced, and what came of it. */
  readonly fenced?: { readonly after: string; readonly at: number; readonly outcome: FenceOutcome };
  /** When it was proven, and nobody could take what was left; on the monotonic clock. */
  readonly provenAt?: number;
}

export class Takeovers {
  readonly #memories = new Map<string, Memory>();

  of(hypervisor: string): Memory {
    return this.#memories.get(hypervisor) ?? {};
  }

  remember(hypervisor: string, memory: Memory): void {
    this.#memories.set(hypervisor, { ...this.of(hypervisor), ...memory });
  }

  forget(hypervisor: string): void {
    this.#memories.delete(hypervisor);
  }
}
