// What the operator sees, always, whether it leads or not: so that a new leader knows everything at once.
import type { Hypervisor } from '#crds/v1alpha1/hypervisor.ts';
import { hypervisorResource, virtualMachineResource } from '#crds/v1alpha1/kinds.ts';
import { HEARTBEAT_LABEL, heartbeatLeaseName, SYSTEM_NAMESPACE } from '#crds/v1alpha1/names.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { Clock, Random } from '#runtime/clock.ts';
import { keyOf, keyText } from '#runtime/kube/resource.ts';
import type { KubeStore } from '#runtime/kube/store.ts';
import { LEASES, type Lease } from '#runtime/lease.ts';
import type { Logger } from '#runtime/log.ts';
import { OwnWrites } from '#runtime/own-writes.ts';
import { Reflector, type ReflectorObserver } from '#runtime/reflector.ts';
import { Heartbeats } from './hypervisor/silence.ts';
import { Ledger } from './placement/ledger.ts';
import { Refusals } from './placement/refusals.ts';

export interface WorldOptions {
  readonly store: KubeStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** A hypervisor whose Lease has not changed for so long is silent. */
  readonly silenceTimeoutMs: number;
  readonly reflectorObserver?: (kind: string) => ReflectorObserver;
}

/** Whom to wake when something changes. Nobody, while another operator leads. */
export interface Listener {
  machineChanged(key: string): void;
  hypervisorChanged(name: string): void;
  /** The VMs that a hypervisor holds may be worth another look. */
  homeChanged(hypervisor: string): void;
  roomAppeared(): void;
}

export class World {
  readonly machines: Reflector<VirtualMachine, 'hypervisor'>;
  readonly hypervisors: Reflector<Hypervisor>;
  readonly ledger = new Ledger();
  readonly refusals = new Refusals();
  readonly machineWrites = new OwnWrites<VirtualMachine>();
  readonly hypervisorWrites = new OwnWrites<Hypervisor>();
  readonly heartbeats: Heartbeats;
  readonly #leases: Reflector<Lease>;
  readonly #clock: Clock;
  #listener: Listener | undefined;

  constructor(options: WorldOptions) {
    this.#clock = options.clock;
    this.heartbeats = new Heartbeats(options.silenceTimeoutMs, options.clock.monotonic());
    const observed = (kind: string) => options.reflectorObserver?.(kind) ?? {};
    const hypervisorOf = (vm: VirtualMachine) =>
      vm.status?.placement === undefined ? [] : [vm.status.placement.hypervisor];
    this.machines = new Reflector({
      ...options,
      type: virtualMachineResource,
      indexes: { hypervisor: hypervisorOf },
      observer: observed('VirtualMachine'),
    });
    this.hypervisors = new Reflector({ ...options, type: hypervisorResource, observer: observed('Hypervisor') });
    const selection = { namespace: SYSTEM_NAMESPACE, labelSelector: HEARTBEAT_LABEL };
    this.#leases = new Reflector({ ...options, type: LEASES, selection, observer: this.#deafness(observed('Lease')) });
    this.#connect();
  }

  listen(listener: Listener | undefined): void {
    this.#listener = listener;
  }

  /** Resolves when the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.machines.run(signal), this.hypervisors.run(signal), this.#leases.run(signal)]);
  }

  async synced(signal: AbortSignal): Promise<void> {
    await Promise.all([this.machines.synced(signal), this.hypervisors.synced(signal), this.#leases.synced(signal)]);
  }

  /** While we could not hear, nobody fell silent. */
  #deafness(observer: ReflectorObserver): ReflectorObserver {
    const deaf = () => this.heartbeats.listenAnew(this.#clock.monotonic());
    return {
      ...observer,
      failed: (reason) => {
        deaf();
        observer.failed?.(reason);
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
      if (change.type === 'added') this.heartbeats.meet(change.object.metadata.name, this.#clock.monotonic());
      this.#hypervisorChanged(change.object, change.type === 'updated' ? change.previous : undefined);
      if (change.type !== 'deleted') return;
      this.hypervisorWrites.forget(change.object.metadata.uid);
      this.heartbeats.forget(change.object.metadata.name);
    });
    this.#leases.onChange(({ type, object }) => this.#heard(object, type === 'deleted'));
  }

  #machineChanged(gone: boolean, vm: VirtualMachine): void {
    const { uid } = vm.metadata;
    const freed = gone ? this.ledger.forget(uid) : this.ledger.record(vm);
    if (gone) this.#forget(uid);
    if (freed) this.#listener?.roomAppeared();
    this.#listener?.machineChanged(keyText(keyOf(vm)));
  }

  #forget(uid: string): void {
    this.machineWrites.forget(uid);
    this.refusals.forget(uid);
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
    this.heartbeats.hear(hypervisor, lease.spec?.renewTime ?? '', this.#clock.monotonic());
    this.#listener?.hypervisorChanged(hypervisor);
  }
}

/** Usage changes all the time and decides nothing here. */
function matters({ metadata, spec, status }: Hypervisor): string {
  return JSON.stringify([metadata.uid, metadata.labels, spec, status?.allocatable, status?.conditions]);
}
