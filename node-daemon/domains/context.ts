// What reconciling guests needs of the world. Wiring fills it; tests fill it with models.
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { Clock } from '#runtime/clock/clock.ts';
import type { ResourceType } from '#runtime/kube/resource.ts';
import type { KubeStore } from '#runtime/kube/store.ts';
import type { Logger } from '#runtime/process/log.ts';
import type { ObjectReader } from '#runtime/reflector/object-cache.ts';
import type { OwnWrites } from '#runtime/reflector/own-writes.ts';
import type { EventInitiator, HypervisorDriver } from '../hypervisor/driver.ts';
import type { GuestMetrics } from '../metrics.ts';
import type { Admission } from './admission.ts';
import type { Memories } from './memory.ts';
import type { Moves } from './moves.ts';
import type { Orphans } from './orphans.ts';
import type { Hold, Self } from './snapshot.ts';

export interface DomainContext {
  readonly store: KubeStore;
  readonly machineType: ResourceType<VirtualMachine>;
  /** The VMs placed on this node. */
  readonly machines: ObjectReader<VirtualMachine, 'uuid'>;
  /** Those that a migration was planned for to this node, now or before. */
  readonly incoming: ObjectReader<VirtualMachine, 'uuid'>;
  readonly ownWrites: OwnWrites<VirtualMachine>;
  readonly driver: HypervisorDriver;
  readonly admission: Admission;
  readonly heartbeat: { isValid(): boolean };
  /** Whether the guard of this machine knows of a guest; it knows of none where there is no guard. */
  readonly isGuarded: (uuid: string) => boolean;
  readonly hold: () => Hold;
  /** Looks once more whether the control plane is the one that is believed. `hold` says what came of it. */
  readonly verifyControlPlane: (signal?: AbortSignal) => Promise<void>;
  /** This hypervisor, once it is registered. */
  readonly self: () => Self;
  readonly memories: Memories;
  readonly moves: Moves;
  /** uuid → what the last call-back said of who ended the guest. */
  readonly initiators: Map<string, EventInitiator>;
  /** Guests of ours whose VirtualMachine is gone, as live reads have shown. */
  readonly orphans: Orphans;
  /** Writes a warning that `kubectl describe` shows. */
  readonly warn: (vm: VirtualMachine, reason: string, message: string) => void;
  /** Counts what is told. */
  readonly observer?: GuestMetrics | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Somebody will say when it is gone from here. */
export function isWatched({ machines, incoming }: DomainContext, { metadata }: VirtualMachine): boolean {
  return machines.getByUid(metadata.uid) !== undefined || incoming.getByUid(metadata.uid) !== undefined;
}
