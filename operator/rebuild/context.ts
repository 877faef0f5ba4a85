// What judging reports needs of the world. Wiring fills it.
import type { DomainReport } from '#crds/v1alpha1/domain-report.ts';
import type { Hypervisor } from '#crds/v1alpha1/hypervisor.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { HoldPhase } from '#operator/site/hold.ts';
import type { Clock } from '#runtime/clock/clock.ts';
import type { KubeStore } from '#runtime/kube/store.ts';
import type { Logger } from '#runtime/process/log.ts';
import type { ObjectReader } from '#runtime/reflector/object-cache.ts';
import type { OwnWrites } from '#runtime/reflector/own-writes.ts';
import type { Reports } from './reports.ts';

export interface ReportContext {
  readonly store: KubeStore;
  readonly reports: Reports;
  readonly ownWrites: OwnWrites<DomainReport>;
  readonly machines: ObjectReader<VirtualMachine, 'instance'>;
  readonly hypervisors: ObjectReader<Hypervisor>;
  readonly phase: () => HoldPhase | undefined;
  /** Whether this guest ran where it was signed for when all had reported in this hold. */
  readonly wasAtHome: (uuid: string) => boolean;
  /** Writes a warning that `kubectl describe` shows. */
  readonly warn: (report: DomainReport, reason: string, message: string) => void;
  /** Counts a report that could not be believed or used. */
  readonly refused: (reason: string) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}
