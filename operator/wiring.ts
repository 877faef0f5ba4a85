// Puts the operator together from its parts. No decision is made here.
import type { Hypervisor } from '#crds/v1alpha1/hypervisor.ts';
import { hypervisorResource, operationResource, virtualMachineResource } from '#crds/v1alpha1/kinds.ts';
import { LEADER_LEASE, SYSTEM_NAMESPACE } from '#crds/v1alpha1/names.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import { Controller, type ControllerObserver, type Reconcile } from '#runtime/controller/controller.ts';
import { type KubeObject, keyOf, keyText } from '#runtime/kube/resource.ts';
import { guardedStore } from '#runtime/lease/guarded-store.ts';
import { LeaderElection, type LeadershipObserver } from '#runtime/lease/leader-election.ts';
import { type AcceptanceRule, AUTOMATIC, acceptanceRule } from './hypervisor/acceptance.ts';
import { candidateOf } from './hypervisor/candidate.ts';
import type { HypervisorContext } from './hypervisor/context.ts';
import { guestHere } from './hypervisor/draining.ts';
import { heardOf } from './hypervisor/observe.ts';
import { reconcileHypervisor } from './hypervisor/reconcile.ts';
import type { MachineMetrics } from './metrics.ts';
import { Drains } from './migration/drains.ts';
import { DEFAULT_MIGRATION, type MigrationSettings } from './migration/settings.ts';
import type { OperationContext } from './operation/context.ts';
import { reconcileOperation } from './operation/reconcile.ts';
import type { Candidate } from './placement/candidate.ts';
import type { Signer } from './signing/key.ts';
import type { TakeoverContext } from './takeover/context.ts';
import type { Fencer } from './takeover/fencer.ts';
import { reconcileTakeover } from './takeover/reconcile.ts';
import { Takeovers } from './takeover/takeovers.ts';
import type { Silence } from './takeover/wants-takeover.ts';
import { reconcileVirtualMachine } from './virtual-machine/reconcile.ts';
import { type Listener, World, type WorldOptions } from './world.ts';

const MOST_SILENT_PERCENT = 50;

export interface OperatorOptions extends WorldOptions {
  readonly signer: Signer;
  /** Which hypervisors may join without a person's word; left out, all of them. */
  readonly acceptance?: AcceptanceRule;
  readonly migration?: MigrationSettings;
  /** Unique to this process. */
  readonly identity: string;
  /** Writes a warning that `kubectl describe` shows. */
  readonly warn: (object: KubeObject, reason: string, message: string) => void;
  /** Counts VMs, and what was done about them. */
  readonly observer?: MachineMetrics | undefined;
  /** What makes sure that a machine is off. */
  readonly fencer?: Fencer | undefined;
  /** When more of all hypervisors are silent at once, nothing is taken over; 50 unless given. */
  readonly mostSilentPercent?: number;
  readonly controllerObserver?: (controller: string) => ControllerObserver;
  /** Told once everything was read for the first time. */
  readonly onSynced?: () => void;
  readonly leadershipObserver?: LeadershipObserver;
}

/** Runs until `stop` aborts, deciding only while it leads; then hands over cleanly. Rejects only if it cannot go on. */
export async function runOperator(options: OperatorOptions, stop: AbortSignal): Promise<void> {
  const world = new World(options);
  const { store, clock, random, logger, identity } = options;
  const election = new LeaderElection({
    store,
    clock,
    random,
    logger,
    identity,
    namespace: SYSTEM_NAMESPACE,
    name: LEADER_LEASE,
    observer: options.leadershipObserver ?? {},
  });
  const ended = new AbortController();
  const running = world.run(ended.signal);
  try {
    await world.synced(stop);
    options.observer?.count(() => world.machines.cache.list());
    options.onSynced?.();
    const onLeading = async (leading: AbortSignal) => {
      await lead({ options, world, stop, leading, isLeading: () => election.isLeading() });
    };
    await election.run({ onLeading, stop });
  } catch (error) {
    if (!stop.aborted) throw error;
  } finally {
    ended.abort();
    await running;
  }
}

interface Term {
  readonly options: OperatorOptions;
  readonly world: World;
  readonly stop: AbortSignal;
  readonly leading: AbortSignal;
  readonly isLeading: () => boolean;
}

/** One term as the leader: everything is looked at once, then whatever changes. */
async function lead(term: Term): Promise<void> {
  const { world, stop, leading } = term;
  world.listenAnew();
  const waiting = new Map<string, number>();
  const known = new Takeovers();
  const hypervisors: Controller = hypervisorController(term, {
    onReachabilityChanged: (name) => {
      listener.heldChanged(name);
      listener.homeChanged(name);
    },
    why: (uid) => drains.why(uid),
  });
  const drains = new Drains((name) => hypervisors.enqueue(name));
  const machines = machineController(term, { waiting, drains, known });
  const homeChanged = (name: string) =>
    world.machines.cache.byIndex('hypervisor', name).forEach((vm) => machines.enqueue(keyText(keyOf(vm))));
  const takeovers = takeoverController(term, known, homeChanged);
  const operations = operationController(term);
  const listener: Listener = {
    machineChanged: (key, hypervisor) => {
      machines.enqueue(key);
      // Which guests are left is said of a hypervisor that is to be emptied.
      if (hypervisor !== undefined && world.hypervisors.cache.get(hypervisor)?.spec.maintenance === true)
        hypervisors.enqueue(hypervisor);
    },
    machineForgotten: (uid) => drains.forget(uid),
    hypervisorChanged: (name) => hypervisors.enqueue(name),
    operationChanged: (key) => operations.enqueue(key),
    operationsChanged: (namespace) => liveOperations(world, namespace).forEach((key) => operations.enqueue(key)),
    homeChanged,
    heldChanged: (name) => takeovers.enqueue(name),
    roomAppeared: () => waiting.forEach((_told, key) => machines.enqueue(key)),
  };
  world.listen(listener);
  world.hypervisors.cache.list().forEach((hypervisor) => hypervisors.enqueue(hypervisor.metadata.name));
  world.machines.cache.list().forEach((vm) => machines.enqueue(keyText(keyOf(vm))));
  world.operations.cache.list().forEach((operation) => operations.enqueue(keyText(keyOf(operation))));
  const controllers = [hypervisors, machines, takeovers, operations];
  await Promise.all(controllers.map(async (controller) => controller.run(stop, leading)));
  world.listen(undefined);
}

function hypervisorController(
  { options, world, isLeading }: Term,
  { onReachabilityChanged, why }: Pick<HypervisorContext, 'onReachabilityChanged'> & Pick<Drains, 'why'>,
): Controller {
  const context: HypervisorContext = {
    store: guardedStore(options.store, isLeading),
    hypervisorType: hypervisorResource,
    hypervisors: world.hypervisors.cache,
    ownWrites: world.hypervisorWrites,
    heartbeats: world.heartbeats,
    outages: world.outages,
    acceptance: options.acceptance ?? acceptanceRule(AUTOMATIC),
    warn: options.warn,
    clock: options.clock,
    guestsOf: (name) =>
      world.machines.cache
        .byIndex('hypervisor', name)
        .flatMap((vm) => guestHere(world.machineWrites.latest(vm), why(vm.metadata.uid)) ?? []),
    onReachabilityChanged,
    lost: new Map(),
  };
  return controller(options, 'hypervisor', async (name, signal) => reconcileHypervisor(context, name, signal));
}

function takeoverController(
  { options, world, isLeading }: Term,
  takeovers: Takeovers,
  onNews: (hypervisor: string) => void,
): Controller {
  const context: TakeoverContext = {
    store: guardedStore(options.store, isLeading),
    hypervisors: world.hypervisors.cache,
    machines: world.machines.cache,
    lease: (name) => world.lease(name),
    heartbeats: world.heartbeats,
    takeovers,
    fencer: options.fencer,
    mostSilentPercent: options.mostSilentPercent ?? MOST_SILENT_PERCENT,
    onNews,
    clock: options.clock,
    logger: options.logger,
  };
  return controller(options, 'takeover', async (name, signal) => reconcileTakeover(context, name, signal));
}

interface Shared {
  readonly waiting: Map<string, number>;
  readonly drains: Drains;
  readonly known: Takeovers;
}

function machineController({ options, world, isLeading }: Term, { waiting, drains, known }: Shared): Controller {
  const context = {
    store: guardedStore(options.store, isLeading),
    machineType: virtualMachineResource,
    machines: world.machines.cache,
    ownWrites: world.machineWrites,
    ledger: world.ledger,
    refusals: world.refusals,
    candidates: () => world.hypervisors.cache.list().map((cached) => candidateIn(world, options, cached)),
    candidate: (name: string) => {
      const cached = world.hypervisors.cache.get(name);
      return cached === undefined ? undefined : candidateIn(world, options, cached);
    },
    silence: (name: string) => silenceOf(world, options, known, name),
    sign: (payload: string) => options.signer.sign(payload),
    migration: options.migration ?? DEFAULT_MIGRATION,
    stays: (vm: VirtualMachine, why: string | undefined) => drains.tell(vm, why),
    waiting,
    warn: options.warn,
    observer: options.observer,
    clock: options.clock,
    logger: options.logger,
  };
  return controller(options, 'virtual-machine', async (key, signal) => reconcileVirtualMachine(context, key, signal));
}

function silenceOf(
  { heartbeats }: World,
  { clock }: OperatorOptions,
  takeovers: Takeovers,
  hypervisor: string,
): Silence | undefined {
  const forMs = heartbeats.silentFor(hypervisor, clock.monotonic());
  return forMs === undefined ? undefined : { hypervisor, forMs, recovery: takeovers.of(hypervisor).recovery };
}

/** Keys of those that are not over. */
function liveOperations({ operations }: World, namespace: string): string[] {
  const all = operations.cache.byIndex('namespace', namespace);
  return all.filter(({ status }) => status?.completionTime === undefined).map((one) => keyText(keyOf(one)));
}

function operationController({ options, world, isLeading }: Term): Controller {
  const context: OperationContext = {
    store: guardedStore(options.store, isLeading),
    operationType: operationResource,
    machineType: virtualMachineResource,
    hypervisorType: hypervisorResource,
    operations: world.operations.cache,
    ownWrites: world.operationWrites,
    machines: world.machines.cache,
    machineWrites: world.machineWrites,
    candidates: () => world.hypervisors.cache.list().map((cached) => candidateIn(world, options, cached)),
    working: new Map(),
    sign: (payload: string) => options.signer.sign(payload),
    warn: options.warn,
    clock: options.clock,
    logger: options.logger,
  };
  return controller(options, 'operation', async (key, signal) => reconcileOperation(context, key, signal));
}

function candidateIn(world: World, { clock }: OperatorOptions, cached: Hypervisor): Candidate {
  const hypervisor = world.hypervisorWrites.latest(cached);
  const heard = heardOf({ clock, heartbeats: world.heartbeats, outages: world.outages }, hypervisor);
  const { name } = hypervisor.metadata;
  const held = {
    assigned: world.ledger.assignedTo(name),
    disksInUse: world.ledger.disksInUseOn(name),
    startsFail: world.refusals.failedLatelyOn(name, clock.monotonic()),
  };
  return candidateOf(hypervisor, heard, held);
}

function controller(options: OperatorOptions, name: string, reconcile: Reconcile): Controller {
  const { clock, random, logger, controllerObserver } = options;
  return new Controller({
    name,
    reconcile,
    clock,
    random,
    logger,
    workers: 8,
    observer: controllerObserver?.(name),
  });
}
