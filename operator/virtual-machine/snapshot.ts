// Everything a decision on one VM may look at, gathered beforehand and frozen.
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { Candidate } from '#operator/placement/candidate.ts';

/** The hypervisor that holds the VM's epoch, as far as the operator can tell. */
export type Home =
  | { readonly kind: 'None' }
  | { readonly kind: 'Gone'; readonly hypervisor: string }
  | {
      readonly kind: 'Known';
      readonly hypervisor: string;
      readonly uid: string;
      readonly reachable: Candidate['reachable'];
    };

export interface Snapshot {
  readonly vm: VirtualMachine;
  readonly home: Home;
  readonly candidates: readonly Candidate[];
  /** Wall time in milliseconds. */
  readonly now: number;
}
