// What placement knows of a hypervisor, and what a VM asks of one: plain values, gathered elsewhere.
import type { LabelSelector } from '#crds/v1alpha1/fragments.ts';

/** CPUs and bytes of memory. */
export interface Amount {
  readonly cpus: number;
  readonly memoryBytes: number;
}

export type Reachability =
  | { readonly yes: true }
  | { readonly yes: false; readonly code: 'Silent' | 'DriverDisconnected'; readonly why: string };

export interface Candidate {
  readonly name: string;
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The operator let it join. */
  readonly accepted: boolean;
  readonly unschedulable: boolean;
  /** Its daemon is heard and its hypervisor answers; otherwise why not. */
  readonly reachable: Reachability;
  readonly allocatable: Amount;
  /** Given to VMs that hold an epoch there. */
  readonly assigned: Amount;
}

export interface Demand {
  readonly amount: Amount;
  readonly preferred: readonly string[];
  readonly selector: LabelSelector | undefined;
  /** Hypervisors that refused this VM a moment ago. */
  readonly refusedBy: readonly string[];
}

export function free(candidate: Candidate): Amount {
  return {
    cpus: candidate.allocatable.cpus - candidate.assigned.cpus,
    memoryBytes: candidate.allocatable.memoryBytes - candidate.assigned.memoryBytes,
  };
}
