// What reconciling VMs needs of the world. Wiring fills it; tests fill it with models.
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { ForeignGuest } from '#operator/adoption/adopters.ts';
import type { MachineMetrics } from '#operator/metrics.ts';
import type { MigrationSettings } from '#operator/migration/settings.ts';
import type { Candidate } from '#operator/placement/candidate.ts';
import type { Ledger } from '#operator/placement/ledger.ts';
import type { Refusals } from '#operator/placement/refusals.ts';
import type { Claim } from '#operator/rebuild/claims.ts';
import type { Hold } from '#operator/site/hold.ts';
import type { Silence } from '#operator/takeover/wants-takeover.ts';
import type { Clock } from '#runtime/clock/clock.ts';
import type { ResourceType } from '#runtime/kube/resource.ts';
import type { KubeStore } from '#runtime/kube/store.ts';
import type { Logger } from '#runtime/process/log.ts';
import type { ObjectReader } from '#runtime/reflector/object-cache.ts';
import type { OwnWrites } from '#runtime/reflector/own-writes.ts';
import type { Sign } from './status.ts';

export interface MachineContext {
  readonly store: KubeStore;
  readonly machineType: ResourceType<VirtualMachine>;
  readonly machines: ObjectReader<VirtualMachine, 'hypervisor'>;
  readonly ownWrites: OwnWrites<VirtualMachine>;
  readonly ledger: Ledger;
  readonly refusals: Refusals;
  /** All hypervisors as they are now. */
  readonly candidates: () => readonly Candidate[];
  /** One of them; undefined where there is none of that name. */
  readonly candidate: (name: string) => Candidate | undefined;
  /** What is known of one whose daemon is silent; undefined while it is heard. */
  readonly silence: (name: string) => Silence | undefined;
  readonly migration: MigrationSettings;
  /** Takes why the guest of a VM stays on a hypervisor that is to be emptied; undefined where it does not. */
  readonly stays: (vm: VirtualMachine, why: string | undefined) => void;
  readonly claimFor: (vm: VirtualMachine) => Claim | undefined;
  readonly foreignFor: (vm: VirtualMachine) => ForeignGuest | undefined;
  readonly hold: () => Hold | undefined;
  readonly sign: Sign;
  /** Keys of VMs that wait for room → when, on the monotonic clock, they were last told why. */
  readonly waiting: Map<string, number>;
  /** Writes a warning that `kubectl describe` shows. */
  readonly warn: (vm: VirtualMachine, reason: string, message: string) => void;
  /** Counts what was done. */
  readonly observer?: Pick<MachineMetrics, 'forcedDeletion' | 'takeover' | 'migrationEnded'> | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}
