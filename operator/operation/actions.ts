// The vocabulary of the operator's plans for an operation.
import type { DomainReport } from '#crds/v1alpha1/domain-report.ts';
import type { OperationPhase, OperationResult } from '#crds/v1alpha1/operation-status.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { VirtualMachineSpec } from '#crds/v1alpha1/virtual-machine-spec.ts';
import type { GrantedOperation } from '#crds/v1alpha1/virtual-machine-status.ts';

type PowerState = VirtualMachineSpec['powerState'];

/** What is done to a VM when it is begun. Done twice is done once. */
export type Effect =
  /** Says in its spec what it shall be, where no other manager does. */
  | { readonly kind: 'Declare'; readonly vm: VirtualMachine; readonly powerState: PowerState }
  | { readonly kind: 'Create'; readonly spec: VirtualMachineSpec; readonly labels: Readonly<Record<string, string>> }
  /** It is declared so already, and will be. */
  | { readonly kind: 'Await' }
  /** Asks of its guest what the daemon then does, once. */
  | { readonly kind: 'Ask'; readonly vm: VirtualMachine; readonly operation: GrantedOperation }
  /** Declares it Stopped, and that this is by force. */
  | { readonly kind: 'PowerOff'; readonly vm: VirtualMachine }
  /** Deletes it, and says that this is by force. */
  | { readonly kind: 'Destroy'; readonly vm: VirtualMachine }
  /** Says that its guest outlives it, and deletes it. */
  | { readonly kind: 'Release'; readonly vm: VirtualMachine }
  /** Makes the VM of a guest that is reported. */
  | { readonly kind: 'Adopt'; readonly report: DomainReport };

export type Action =
  /** Nothing is done before this is written: whoever goes on after a crash goes on with the same list. */
  | { readonly kind: 'Resolve'; readonly targets: readonly string[] }
  | { readonly kind: 'Begin'; readonly name: string; readonly effect: Effect; readonly reason: string }
  | { readonly kind: 'Settle'; readonly result: OperationResult }
  /** What was asked of a guest, and not begun, is not asked any more. */
  | { readonly kind: 'Withdraw'; readonly vm: VirtualMachine; readonly reason: string }
  /** It ends here, whatever its targets. */
  | { readonly kind: 'Finish'; readonly phase: OperationPhase; readonly code: string; readonly reason: string }
  /** It does not begin yet. */
  | { readonly kind: 'Hold'; readonly code: string; readonly reason: string }
  /** Its time to live is over. */
  | { readonly kind: 'Remove'; readonly reason: string };

export interface Plan {
  readonly actions: readonly Action[];
  /** Look again after so many milliseconds even if nothing happens. */
  readonly again?: number;
}
