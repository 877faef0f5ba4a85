// What recovering from silent hypervisors needs of the world. Wiring fills it.
import type { Hypervisor } from '#crds/v1alpha1/hypervisor.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { Heartbeats } from '#operator/hypervisor/silence.ts';
import type { Clock } from '#runtime/clock/clock.ts';
import type { KubeStore } from '#runtime/kube/store.ts';
import type { Lease } from '#runtime/lease/lease.ts';
import type { Logger } from '#runtime/process/log.ts';
import type { ObjectReader } from '#runtime/reflector/object-cache.ts';
import type { Fencer } from './fencer.ts';
import type { Takeovers } from './takeovers.ts';

export interface TakeoverContext {
  readonly store: KubeStore;
  readonly hypervisors: ObjectReader<Hypervisor>;
  readonly machines: ObjectReader<VirtualMachine, 'hypervisor'>;
  /** The heartbeat Lease of a hypervisor, as the watch has it. */
  readonly lease: (hypervisor: string) => Lease | undefined;
  readonly heartbeats: Heartbeats;
  readonly takeovers: Takeovers;
  readonly fencer: Fencer | undefined;
  readonly mostSilentPercent: number;
  /** Told when there is news for the VMs that a hypervisor holds. */
  readonly onNews: (hypervisor: string) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}
