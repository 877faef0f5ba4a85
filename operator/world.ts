// What the operator sees, always, whether it leads or not: so that a new leader knows everything at once.
import { isConditionFalse } from '#crds/conditions.ts';
import { instanceUuid } from '#crds/derive/signed-payload.ts';
import type { DomainReport } from '#crds/v1alpha1/domain-report.ts';
import type { Hypervisor } from '#crds/v1alpha1/hypervisor.ts';
import {
  domainReportResource,
  hypervisorResource,
  operationResource,
  virtualMachineResource,
} from '#crds/v1alpha1/kinds.ts';
import {
  HEARTBEAT_LABEL,
  heartbeatLeaseName,
  isOurAnnotation,
  RECOVERY_HOLDER,
  SYSTEM_NAMESPACE,
} from '#crds/v1alpha1/names.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { VirtualMachineOperation } from '#crds/v1alpha1/virtual-machine-operation.ts';
import type { Clock, Random } from '#runtime/clock/clock.ts';
import { keyOf, keyText } from '#runtime/kube/resource.ts';
import type { KubeStore } from '#runtime/kube/store.ts';
import { LEASES, type Lease } from '#runtime/lease/lease.ts';
import type { Logger } from '#runtime/process/log.ts';
import { OwnWrites } from '#runtime/reflector/own-writes.ts';
import { Reflector, type ReflectorObserver } from '#runtime/reflector/reflector.ts';
import { Outages } from './hypervisor/outages.ts';
import { Heartbeats } from './hypervisor/silence.ts';
import { Ledger } from './placement/ledger.ts';
import { Refusals } from './placement/refusals.ts';
import { reportIndexes } from './rebuild/reports.ts';

export interface WorldOptions {
  readonly store: KubeStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** A hypervisor whose Lease has not changed for so long is silent, and so is one that did not answer its daemon. */
  readonly silenceTimeoutMs: number;
  readonly reflectorObserver?: (kind: string) => ReflectorObserver;
  /** Called when the API server has gone back in time: what is known of later times is worth nothing. */
  readonly onWentBack: () => void;
}

/** Whom to wake when something changes. Nobody, while another operator leads. */
export interface Listener {
  machineChanged(key: string, vm: VirtualMachine): void;
  machineForgotten(uid: string): void;
  reportChanged(report: DomainReport): void;
  hypervisorChanged(name: string): void;
  operationChanged(key: string): void;
  /** Operations of this namespace may have got further, or may begin. */
  operationsChanged(namespace: string): void;
  /** The VMs that a hypervisor holds may be worth another look. */
  homeChanged(hypervisor: string): void;
  /** A VM that it holds has changed, or it was lost or found: whether VMs are started elsewhere may change with it. */
  heldChanged(hypervisor: string): void;
  roomAppeared(): void;
}

export class World {
  readonly machines: Reflector<VirtualMachine, 'hypervisor' | 'namespace' | 'instance'>;
  readonly reports: Reflector<DomainReport, 'uuid' | 'machine'>;
  readonly hypervisors: Reflector<Hypervisor>;
  readonly operations: Reflector<VirtualMachineOperation, 'namespace'>;
  readonly ledger = new Ledger();
  readonly refusals = new Refusals();
  readonly machineWrites = new OwnWrites<VirtualMachine>();
  readonly hypervisorWrites = new OwnWrites<Hypervisor>();
  readonly operationWrites = new OwnWrites<VirtualMachineOperation>();
  readonly reportWrites = new OwnWrites<DomainReport>();
  readonly heartbeats: Heartbeats;
  readonly outages: Outages;
  readonly #leases: Reflector<Lease>;
  readonly #clock: Clock;
  #listener: Listener | undefined;

  constructor(options: WorldOptions) {
    this.#clock = options.clock;
    this.heartbeats = new Heartbeats(options.silenceTimeoutMs, options.clock.monotonic());
    this.outages = new Outages(options.silenceTimeoutMs, options.clock.monotonic());
    const observed = (kind: string) => noticing(options, kind);
    const hypervisorOf = (vm: VirtualMachine) =>
      vm.status?.placement === undefined ? [] : [vm.status.placement.hypervisor];
    const namespaceOf = ({ metadata }: { metadata: { namespace: string } }) => [metadata.namespace];
    const shared = { ...options, keepsAnnotation: isOurAnnotation };
    this.machines = new Reflector({
      ...shared,
      type: virtualMachineResource,
      indexes: {
        hypervisor: hypervisorOf,
        namespace: namespaceOf,
        instance: (vm: VirtualMachine) => [instanceUuid(vm)],
      },
      observer: observed('VirtualMachine'),
    });
    this.hypervisors = new Reflector({ ...shared, type: hypervisorResource, observer: observed('Hypervisor') });
    this.operations = new Reflector({
      ...shared,
      type: operationResource,
      indexes: { namespace: namespaceOf },
      observer: observed('VirtualMachineOperation'),
    });
    this.reports = new Reflector({
      ...shared,
      type: domainReportResource,
      indexes: reportIndexes,
      observer: observed('DomainReport'),
    });
    const selection = { namespace: SYSTEM_NAMESPACE, labelSelector: HEARTBEAT_LABEL };
    this.#leases = new Reflector({ ...shared, type: LEASES, selection, observer: this.#deafness(observed('Lease')) });
    this.#connect();
  }

  listen(listener: Listener | undefined): void {
    this.#listener = listener;
  }

  /** Resolves when the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#reflectors.map(async (reflector) => reflector.run(signal)));
  }

  /** The heartbeat Lease of a hypervisor. */
  lease(hypervisor: string): Lease | undefined {
    return this.#leases.cache.get(keyText({ namespace: SYSTEM_NAMESPACE, name: heartbeatLeaseName(hypervisor) }));
  }

  async synced(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#reflectors.map(async (reflector) => reflector.synced(signal)));
  }

  get #reflectors() {
    return [this.machines, this.hypervisors, this.operations, this.reports, this.#leases];
  }

  /** Silences and outages count anew: while we could not hear, nobody was lost. */
  listenAnew(): void {
    const now = this.#clock.monotonic();
    this.heartbeats.listenAnew(now);
    this.outages.listenAnew(now);
  }

  #deafness(observer: ReflectorObserver): ReflectorObserver {
    const deaf = () => this.listenAnew();
    return {
      ...observer,
      failed: (...failed) => {
        deaf();
        observer.failed?.(...failed);
      },
      listed: (...listed) => {
        deaf();
        observer.listed?.(...listed);
      },
    };
  }

  #connect(): void {
    this.machines.onChange((change) => this.#machineChanged(change.type === 'deleted', change.object));
    this.hypervisors.onChange((change) => {
      const { metadata, status } = change.object;
      const now = this.#clock.monotonic();
      if (change.type === 'added') this.heartbeats.meet(metadata.name, now);
      this.outages.see(metadata.name, !isConditionFalse(status?.conditions, 'DriverConnected'), now);
      this.#hypervisorChanged(change.object, change.type === 'updated' ? change.previous : undefined);
      if (change.type !== 'deleted') return;
      this.hypervisorWrites.forget(metadata.uid);
      this.heartbeats.forget(metadata.name);
      this.outages.forget(metadata.name);
    });
    this.operations.onChange(({ type, object }) => {
      if (type === 'deleted') this.operationWrites.forget(object.metadata.uid);
      this.#listener?.operationChanged(keyText(keyOf(object)));
      this.#listener?.operationsChanged(object.metadata.namespace);
    });
    this.reports.onChange(({ type, object }) => {
      if (type === 'deleted') this.reportWrites.forget(object.metadata.uid);
      this.#listener?.reportChanged(object);
    });
    this.#leases.onChange(({ type, object }) => this.#heard(object, type === 'deleted'));
  }

  #machineChanged(gone: boolean, vm: VirtualMachine): void {
    const { uid } = vm.metadata;
    const freed = gone ? this.ledger.forget(uid) : this.ledger.record(vm);
    if (gone) this.#forget(uid);
    if (freed) this.#listener?.roomAppeared();
    this.#listener?.machineChanged(keyText(keyOf(vm)), vm);
    this.#listener?.operationsChanged(vm.metadata.namespace);
    this.#homeOfChanged(vm);
  }

  #homeOfChanged({ status }: VirtualMachine): void {
    const home = status?.placement?.hypervisor;
    if (home !== undefined && this.heartbeats.silentFor(home, this.#clock.monotonic()) !== undefined)
      this.#listener?.heldChanged(home);
  }

  #forget(uid: string): void {
    this.machineWrites.forget(uid);
    this.refusals.forget(uid);
    this.#listener?.machineForgotten(uid);
  }

  #hypervisorChanged(hypervisor: Hypervisor, previous: Hypervisor | undefined): void {
    if (previous !== undefined && matters(previous) === matters(hypervisor)) return;
    const { name } = hypervisor.metadata;
    this.#listener?.hypervisorChanged(name);
    this.#listener?.homeChanged(name);
    this.#listener?.roomAppeared();
  }

  #heard(lease: Lease, gone: boolean): void {
    const hypervisor = lease.metadata.labels?.[HEARTBEAT_LABEL];
    if (hypervisor === undefined || gone) return;
    // Admission binds a daemon to the name of its Lease; what label it puts there is its own affair.
    if (lease.metadata.name !== heartbeatLeaseName(hypervisor)) return;
    // That we took it says nothing of its machine.
    if (lease.spec?.holderIdentity === RECOVERY_HOLDER) return;
    this.heartbeats.hear(hypervisor, lease.spec?.renewTime ?? '', this.#clock.monotonic());
    this.#listener?.hypervisorChanged(hypervisor);
  }
}

/** Everything is read again for `disorder` only where the API server has gone back. */
function noticing({ reflectorObserver, onWentBack }: WorldOptions, kind: string): ReflectorObserver {
  const observer = reflectorObserver?.(kind) ?? {};
  return {
    ...observer,
    listed: (cause, ...told) => {
      observer.listed?.(cause, ...told);
      if (cause === 'disorder') onWentBack();
    },
  };
}

/** Usage changes all the time and decides nothing here. */
function matters({ metadata, spec, status }: Hypervisor): string {
  return JSON.stringify([
    metadata.uid,
    metadata.labels,
    spec,
    status?.allocatable,
    status?.conditions,
    status?.controlPlane,
    status?.hold,
  ]);
}
