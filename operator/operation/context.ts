// What reconciling operations needs of the world. Wiring fills it; tests fill it with models.
import type { Hypervisor } from '#crds/v1alpha1/hypervisor.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { VirtualMachineOperation } from '#crds/v1alpha1/virtual-machine-operation.ts';
import type { GuestContext } from '#operator/adoption/reconcile.ts';
import type { Candidate } from '#operator/placement/candidate.ts';
import type { Hold } from '#operator/site/hold.ts';
import type { Sign } from '#operator/virtual-machine/status.ts';
import type { Clock } from '#runtime/clock/clock.ts';
import type { ResourceType } from '#runtime/kube/resource.ts';
import type { KubeStore } from '#runtime/kube/store.ts';
import type { Logger } from '#runtime/process/log.ts';
import type { ObjectReader } from '#runtime/reflector/object-cache.ts';
import type { OwnWrites } from '#runtime/reflector/own-writes.ts';
import type { Progress } from './progress.ts';

/** What is known of an operation beyond what was written. Losing it costs some looks, and nothing is counted twice. */
export interface Working {
  readonly uid: string;
  readonly progress: Progress;
  /** When its status was written last, on the monotonic clock. */
  readonly writtenAt: number;
  /** When it was looked at last, on the same clock. */
  readonly lookedAt: number;
}

export interface OperationContext {
  readonly store: KubeStore;
  readonly operationType: ResourceType<VirtualMachineOperation>;
  readonly machineType: ResourceType<VirtualMachine>;
  readonly hypervisorType: ResourceType<Hypervisor>;
  readonly operations: ObjectReader<VirtualMachineOperation, 'namespace'>;
  readonly ownWrites: OwnWrites<VirtualMachineOperation>;
  readonly machines: ObjectReader<VirtualMachine, 'namespace'>;
  readonly machineWrites: OwnWrites<VirtualMachine>;
  /** Guests that nobody declares, and what decides whether they can be adopted. */
  readonly guests: GuestContext;
  /** All hypervisors as they are now. */
  readonly candidates: () => readonly Candidate[];
  readonly hold: () => Hold | undefined;
  /** Key of an operation → how far it is. */
  readonly working: Map<string, Working>;
  readonly sign: Sign;
  /** Writes a warning that `kubectl describe` shows. */
  readonly warn: (operation: VirtualMachineOperation, reason: string, message: string) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}
