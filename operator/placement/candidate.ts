// What placement knows of a hypervisor, and what a VM asks of one: plain values, gathered elsewhere.
import { type Amount, minus } from '#crds/amount.ts';
import type { LabelSelector } from '#crds/v1alpha1/fragments.ts';
import type { Disk, DisksInUse } from './disk-uses.ts';

export type Reachability =
  | { readonly yes: true }
  | {
      readonly yes: false;
      readonly code: 'Silent' | 'NotReported' | 'DriverDisconnected';
      readonly why: string;
      /** It may be over in a moment: nothing new is placed there, and nothing is said yet of what runs there. */
      readonly brief: boolean;
    };

/** What decides whether guests can move between this hypervisor and another. */
export interface Mobility {
  /** Where it takes guests in; undefined where it does not. */
  readonly address: string | undefined;
  readonly sharedPools: readonly string[];
  readonly type: string;
  readonly architecture: string;
}

export interface Candidate {
  readonly name: string;
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The operator let it join. */
  readonly accepted: boolean;
  readonly unschedulable: boolean;
  /** It is to be emptied; `unschedulable` too, then. */
  readonly maintenance: boolean;
  readonly migration: Mobility;
  /** Its daemon is heard and its hypervisor answers; otherwise why not. */
  readonly reachable: Reachability;
  readonly allocatable: Amount;
  /** It can keep guarantees and limits of CPU time. */
  readonly guaranteesCpu: boolean;
  /** A guest failed to start there a moment ago, and none has been seen to run there since. */
  readonly startsFail: boolean;
  /** Given to VMs that hold an epoch there. */
  readonly assigned: Amount;
  /** The volumes of the VMs that hold an epoch there. */
  readonly disksInUse: DisksInUse;
}

export interface Demand {
  /** Of the VM: what it has itself is not in use by another. */
  readonly uid: string;
  readonly amount: Amount;
  /** It asks for a guarantee or a limit of CPU time. */
  readonly guaranteesCpu: boolean;
  readonly preferred: readonly string[];
  readonly selector: LabelSelector | undefined;
  readonly disks: readonly Disk[];
  /** Hypervisors that refused this VM a moment ago. */
  readonly refusedBy: readonly string[];
}

/** What may still be assigned there; below zero where the machine has shrunk. */
export function free({ allocatable, assigned }: Candidate): Amount {
  return minus(allocatable, assigned);
}
