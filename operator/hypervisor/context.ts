// What reconciling hypervisors needs of the world. Wiring fills it.
import type { Hypervisor } from '#crds/v1alpha1/hypervisor.ts';
import type { Hold } from '#operator/site/hold.ts';
import type { Clock } from '#runtime/clock/clock.ts';
import type { ResourceType } from '#runtime/kube/resource.ts';
import type { KubeStore } from '#runtime/kube/store.ts';
import type { ObjectReader } from '#runtime/reflector/object-cache.ts';
import type { OwnWrites } from '#runtime/reflector/own-writes.ts';
import type { AcceptanceRule } from './acceptance.ts';
import type { GuestHere } from './draining.ts';
import type { Outages } from './outages.ts';
import type { Heartbeats } from './silence.ts';

export interface HypervisorContext {
  readonly store: KubeStore;
  readonly hypervisorType: ResourceType<Hypervisor>;
  readonly hypervisors: ObjectReader<Hypervisor>;
  readonly ownWrites: OwnWrites<Hypervisor>;
  readonly heartbeats: Heartbeats;
  readonly outages: Outages;
  /** Who may join without a person's word. */
  readonly acceptance: AcceptanceRule;
  /** Writes a warning that `kubectl describe` shows. */
  readonly warn: (hypervisor: Hypervisor, reason: string, message: string) => void;
  /** The guests that hold a permission on this hypervisor. */
  readonly guestsOf: (hypervisor: string) => readonly GuestHere[];
  readonly hold: () => Hold | undefined;
  readonly clock: Clock;
  /** Told when a hypervisor is lost or found again, so that its VMs are looked at. */
  readonly onReachabilityChanged: (hypervisor: string) => void;
  /** Hypervisors that are lost, and how, to notice a change. */
  readonly lost: Map<string, 'Silent' | 'CutOff'>;
}
