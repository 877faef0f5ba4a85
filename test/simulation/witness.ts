// What really happens to the guests, whatever is told of it, and what of it nobody asked for.
import { isDeepStrictEqual } from 'node:util';
import { outlivesDeletion } from '#crds/derive/deletion.ts';
import { epochIsOver } from '#crds/derive/epoch.ts';
import { mayBeThere } from '#crds/derive/hibernated.ts';
import { instanceUuid } from '#crds/derive/signed-payload.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { InstanceState } from '#crds/v1alpha1/virtual-machine-status.ts';
import type { DomainMetadata, DriverEvent } from '#node-daemon/hypervisor/driver.ts';
import type { Power } from '#node-daemon/hypervisor/simulated/guest.ts';
import type { SimulatedHost } from '#node-daemon/hypervisor/simulated/host.ts';
import type { AdmissionRequest } from '#runtime/kube/memory/kind-model.ts';
import type { Onlooker } from './life.ts';

/** What somebody decided on may be this old: a call takes its time. */
const RECENTLY_MS = 100;
/** Who is asked to stop and ends within this time has obeyed. */
const OBEDIENCE_MS = 5_000;

export interface Happening {
  readonly at: number;
  readonly host: string;
  readonly uuid: string;
  /** In the words of the hypervisor: "started", "shut down", "crashed", "undefined". */
  readonly what: string;
  /** Under which the guest was started or defined last. */
  readonly epoch: number | undefined;
}

export interface WitnessOptions {
  readonly hosts: ReadonlyMap<string, SimulatedHost>;
  /** What the daemon of a host calls it. */
  readonly nodeOf: (host: string) => string;
  readonly now: () => number;
  /** As the API server has them. */
  readonly machines: () => readonly VirtualMachine[];
  /** Takes a broken promise, in words. */
  readonly report: (fault: string) => void;
  /** Called after everything that happens to a guest. */
  readonly happened: () => void;
}

export class Witness {
  readonly happenings: Happening[] = [];
  readonly #options: WitnessOptions;
  /** By the uuid of the guest: what was declared before, newest last, and until when each was it. */
  readonly #before = new Map<string, { readonly vm: VirtualMachine; readonly until: number }[]>();
  /** By host and uuid: when a daemon asked last for a start, or for an end. */
  readonly #askedToStart = new Set<string>();
  readonly #askedToEnd = new Map<string, number>();
  /** By operation and VM: what was carried out. */
  readonly #done = new Set<string>();
  /** By uuid: the last start by a daemon; `obeyed` once the guest has ended because a daemon wanted it to. */
  readonly #starts = new Map<string, { readonly epoch: number | undefined; obeyed: boolean }>();

  constructor(options: WitnessOptions) {
    this.#options = options;
    for (const [name, { events }] of options.hosts) {
      events.witness = (event) => {
        if (event.kind === 'Changed') this.#happened(name, event);
      };
    }
  }

  /** Of what a daemon asks of its hypervisor. */
  onlooker(host: string): Onlooker {
    return {
      calling: (verb, uuid) => this.#calling(host, verb, uuid),
      called: () => this.#options.happened(),
    };
  }

  #calling(host: string, verb: string, uuid: string): void {
    const { now, report, nodeOf } = this.#options;
    const key = `${host}/${uuid}`;
    if (verb === 'start') this.#askedToStart.add(key);
    const declared = this.#options.machines().filter((one) => instanceUuid(one) === uuid);
    const grounds = [...declared, ...this.#declaredJustNow(uuid)];
    const [vm] = grounds;
    const once = verb === 'reboot' || (verb === 'destroy' && isExecuting(vm, 'Cycle') && !isToEnd(vm));
    if (once) this.#doneOnce(verb, vm);
    else if (verb === 'shutdown' || verb === 'destroy') this.#askedToEnd.set(key, now());
    if (vm === undefined) return report(`${host} was asked to ${verb} a guest that nobody declares`);
    const bears = this.#options.hosts.get(host)?.machine.guests.find(uuid)?.metadata?.epoch;
    if (!grounds.some((one) => isDeclared(one, { node: nodeOf(host), bears }, verb))) {
      report(`${host} was asked to ${verb} ${vm.metadata.name}, which nobody asked for`);
    }
  }

  /** What an operation asked, and was told as Executing before: at most once, whoever dies. */
  #doneOnce(verb: string, vm: VirtualMachine | undefined): void {
    const { uid = '', state, name = '' } = vm?.status?.currentOperation ?? {};
    const words = `${vm?.metadata.name} was asked to ${verb}`;
    if (state !== 'Executing') this.#options.report(`${words}, which was not told before`);
    const key = `${uid}/${vm?.metadata.uid}`;
    if (this.#done.has(key)) this.#options.report(`${words} twice for operation ${name}`);
    this.#done.add(key);
  }

  /** People may change their minds several times while one call is on its way. */
  #declaredJustNow(uuid: string): VirtualMachine[] {
    const before = this.#before.get(uuid) ?? [];
    return before.filter(({ until }) => this.#options.now() - until <= RECENTLY_MS).map(({ vm }) => vm);
  }

  #happened(host: string, { uuid, detail: what }: Extract<DriverEvent, { kind: 'Changed' }>): void {
    const { now, hosts, happened } = this.#options;
    const guest = hosts.get(host)?.machine.guests.find(uuid);
    const epoch = permissionOf(guest?.metadata);
    this.happenings.push({ at: now(), host, uuid, what, epoch });
    if (what === 'started' || what === 'restored') this.#started(host, uuid, epoch);
    else if (guest?.power.kind === 'Off') this.#ended(host, uuid, what);
    happened();
  }

  #started(host: string, uuid: string, epoch: number | undefined): void {
    if (!this.#askedToStart.delete(`${host}/${uuid}`)) return;
    const previous = this.#starts.get(uuid);
    if (previous?.epoch === epoch && previous?.obeyed === true) {
      this.#options.report(`${uuid} was started a second time under epoch ${epoch}, after it had been stopped`);
    }
    this.#starts.set(uuid, { epoch, obeyed: false });
  }

  #ended(host: string, uuid: string, what: string): void {
    const start = this.#starts.get(uuid);
    const askedAt = this.#askedToEnd.get(`${host}/${uuid}`);
    if (start === undefined || askedAt === undefined || noObedience.has(what)) return;
    start.obeyed = this.#options.now() - askedAt <= OBEDIENCE_MS;
  }

  /** Before a VirtualMachine is stored. */
  wrote(vm: VirtualMachine, { user, old, verb }: AdmissionRequest<VirtualMachine>): void {
    if (old === undefined) return;
    // One that was deleted by force may go while a call is on its way.
    const goes = (vm.metadata.finalizers ?? []).length === 0;
    if (verb === 'delete' || goes || !isDeepStrictEqual(old.spec, vm.spec)) {
      const uuid = instanceUuid(vm);
      this.#before.set(uuid, [...(this.#before.get(uuid) ?? []), { vm: old, until: this.#options.now() }]);
    }
    const { instance } = vm.status ?? {};
    if (instance === undefined || isDeepStrictEqual(instance, old.status?.instance)) return;
    const isOver = vm.metadata.deletionTimestamp !== undefined || epochIsOver(old.status);
    const seen = this.#seenOn(user, instanceUuid(vm), isOver);
    // Of one that is off its memory may be let go with it, and kept.
    const isLetGo = vm.metadata.deletionTimestamp !== undefined && outlivesDeletion(vm);
    if (isLetGo && instance.powerState === 'Absent' && !seen.includes('Running')) return;
    if (!seen.includes(instance.powerState)) {
      this.#options.report(
        `${user} told that ${vm.metadata.name} is ${instance.powerState}, where it could be ${seen.join(' or ')}`,
      );
    }
  }

  /** What may truthfully be said of a guest by the daemon of this node. */
  #seenOn(node: string, uuid: string, isOver: boolean): readonly InstanceState[] {
    const hosts = [...this.#options.hosts].filter(([name]) => this.#options.nodeOf(name) === node);
    return hosts.flatMap(([name, host]) => {
      const guest = host.machine.guests.find(uuid);
      const before = this.#justChanged(name, uuid) ? ([...UP, 'Hibernated'] as const) : [];
      if (guest === undefined) return [...OFF, 'Absent' as const, ...before];
      if (guest.metadata === undefined) return [...OFF, ...UP, 'Absent' as const];
      if (guest.power.kind === 'Off' && guest.image !== undefined && !isOver) return [...KEPT, ...before];
      if (guest.power.kind === 'Off') return [...OFF, ...before];
      // Of one that does not answer it is told what was seen last.
      return guest.hung ? UP : [...(seenUp[guest.power.kind] ?? UP), ...before];
    });
  }

  #justChanged(host: string, uuid: string): boolean {
    const last = this.happenings.findLast((one) => one.host === host && one.uuid === uuid);
    return last !== undefined && this.#options.now() - last.at <= RECENTLY_MS;
  }
}

/** In the words of the hypervisor: what ends a guest whatever it was asked. */
const noObedience: ReadonlySet<string> = new Set(['crashed', 'hibernated', 'the machine booted']);

const UP = ['Starting', 'Running', 'Paused', 'Stopping'] as const;
/** Where no more than that may be told. */
const seenUp: Readonly<Partial<Record<Power['kind'], readonly InstanceState[]>>> = {
  Running: ['Starting', 'Running', 'Stopping'],
  Paused: ['Starting', 'Paused', 'Stopping'],
};
/** That it has stopped is not told while its memory is kept: it could go on. */
const KEPT = ['Starting', 'Hibernated', 'Missing'] as const;
const OFF = ['Starting', 'Stopped', 'Refused', 'Crashed', 'Missing'] as const;

/** The epoch in what the operator signed: the domain itself bears the former one until it runs. */
function permissionOf(metadata: DomainMetadata | undefined): number | undefined {
  return metadata === undefined ? undefined : (JSON.parse(metadata.payload) as { epoch: number }).epoch;
}

function isExecuting(vm: VirtualMachine | undefined, type: 'Reboot' | 'Cycle'): boolean {
  const { currentOperation } = vm?.status ?? {};
  return currentOperation?.type === type && currentOperation.state === 'Executing';
}

/** Whoever ends it then ends it for good, not for the operation. */
function isToEnd(vm: VirtualMachine | undefined): boolean {
  return vm?.metadata.deletionTimestamp !== undefined || vm?.status?.granted?.powerState === 'Stopped';
}

/** Whether what is declared and granted is ground enough for this. */
function isDeclared(
  vm: VirtualMachine,
  { node, bears }: { readonly node: string; readonly bears: number | undefined },
  verb: string,
): boolean {
  const { metadata, spec, status } = vm;
  const { placement, granted } = status ?? {};
  const here = placement?.hypervisor === node;
  const deleted = metadata.deletionTimestamp !== undefined;
  switch (verb) {
    case 'define':
    case 'start': {
      const wanted = mayBeThere(spec.powerState) && granted?.powerState === spec.powerState && !deleted;
      return here && wanted && granted.generation === metadata.generation && !epochIsOver(status);
    }
    case 'pause':
      return here && !deleted && (spec.powerState === 'Paused' || granted?.powerState === 'Paused');
    case 'hibernate':
      return here && !deleted && (spec.powerState === 'Hibernated' || granted?.powerState === 'Hibernated');
    case 'discardImage': {
      const isPast = bears !== placement?.epoch || epochIsOver(status);
      return here && (deleted || isPast || spec.powerState === 'Stopped' || granted?.powerState === 'Stopped');
    }
    case 'resume':
      return here && (deleted || spec.powerState !== 'Paused' || granted?.powerState !== 'Paused');
    case 'shutdown':
    case 'destroy':
      // A daemon executes what was granted: that people have thought better since is not decided yet.
      if (isExecuting(vm, 'Cycle')) return true;
      return !here || deleted || spec.powerState === 'Stopped' || granted?.powerState === 'Stopped';
    case 'undefine':
      return !here || deleted;
    case 'setLimits':
      return here && granted?.powerState === 'Running';
    case 'release':
      return here && deleted && outlivesDeletion(vm);
    case 'reboot':
      return here && !deleted;
    default:
      return here;
  }
}
