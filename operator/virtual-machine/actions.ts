// The vocabulary of the operator's plans for a VM.
import type { MigrationPlan } from '#crds/v1alpha1/migration-status.ts';
import type { VirtualMachineSpec } from '#crds/v1alpha1/virtual-machine-spec.ts';
import type { Granted, GrantedOperation, Proof } from '#crds/v1alpha1/virtual-machine-status.ts';

export type Action =
  /** The decision on this generation. Until there are policies it is the built-in allow. */
  | {
      readonly kind: 'Grant';
      readonly granted: Granted;
      /** Modify: less was granted than was asked. Defer: it stays hibernated for now. */
      readonly verdict: 'Allow' | 'Modify' | 'Defer';
      readonly reason: string;
    }
  /** A new permission to start, for one hypervisor. */
  | {
      readonly kind: 'Place';
      readonly hypervisor: string;
      readonly hypervisorUID: string;
      readonly epoch: number;
      /** How many others would have taken it. */
      readonly alternatives: number;
      /** That the guest is dead under the permission before, where its hypervisor could not say so. */
      readonly proof?: Proof;
      readonly reason: string;
    }
  /** The permission under which its guest runs already: nothing is started. */
  | {
      readonly kind: 'Recover';
      readonly origin: 'Adopted' | 'Recovered';
      readonly hypervisor: string;
      readonly hypervisorUID: string;
      readonly epoch: number;
      readonly reason: string;
    }
  /** Ties it to a guest that is older than the object. */
  | { readonly kind: 'Bind'; readonly uuid: string; readonly reason: string }
  /** Declares what was declared last, before a backup took the object back. */
  | { readonly kind: 'RestoreSpec'; readonly spec: VirtualMachineSpec; readonly reason: string }
  | { readonly kind: 'CannotPlace'; readonly code: string; readonly reason: string }
  /** Its guest goes on with less than was asked. */
  | { readonly kind: 'CannotGrow'; readonly code: string; readonly reason: string }
  /** Its guest stays hibernated though it shall run. */
  | { readonly kind: 'CannotRestore'; readonly code: string; readonly reason: string }
  /** The permission is over: nobody can ask its holder, which keeps a guest that is of no use any more. */
  | { readonly kind: 'Abandon'; readonly reason: string }
  /** What is told of the end of its time; nothing, where that is far or there is none. */
  | {
      readonly kind: 'MarkExpiry';
      readonly expired?: { readonly status: 'True' | 'False'; readonly code: string; readonly reason: string };
      readonly reason: string;
    }
  | { readonly kind: 'MarkReachable'; readonly reachable: boolean; readonly code: string; readonly reason: string }
  /** An operation asks something of the guest that the daemon does once. */
  | { readonly kind: 'Ask'; readonly operation: GrantedOperation; readonly reason: string }
  | { readonly kind: 'Withdraw'; readonly reason: string }
  /** What an operation asks cannot be done. */
  | { readonly kind: 'Refuse'; readonly reason: string }
  /** Moves its guest to another hypervisor, which is asked first. */
  | { readonly kind: 'StartMigration'; readonly plan: Omit<MigrationPlan, 'time'>; readonly reason: string }
  /** It has begun and is to be given up: both sides say what came of it. */
  | { readonly kind: 'AbortMigration'; readonly reason: string }
  /** The guest did not move. */
  | { readonly kind: 'EndMigration'; readonly result: 'Failed' | 'Aborted'; readonly reason: string }
  /** It did: who has it gets the next permission. */
  | { readonly kind: 'Arrive'; readonly plan: MigrationPlan; readonly reason: string }
  /** Nobody else is there to show that it is being deleted. */
  | { readonly kind: 'ShowDeletion'; readonly reason: string }
  /** Lets the object go: no node can still run its guest, or, with `risk`, somebody took upon himself that one may. */
  | { readonly kind: 'Finalize'; readonly reason: string; readonly risk?: string };

export interface Plan {
  readonly actions: readonly Action[];
  /** Look again after so many milliseconds even if nothing happens. */
  readonly again?: number;
  /** Look again, too, when room appears anywhere. */
  readonly waitsForRoom?: true;
  /** Why its guest does not move, though its hypervisor is to be emptied. */
  readonly stays?: string;
}

/** What waits for room, or for a hypervisor: it is told again now and then. */
export function isPending(
  action: Action,
): action is Extract<Action, { kind: 'CannotPlace' | 'CannotGrow' | 'CannotRestore' }> {
  return action.kind === 'CannotPlace' || action.kind === 'CannotGrow' || action.kind === 'CannotRestore';
}
