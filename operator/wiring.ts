// Puts the operator together from its parts. No decision is made here.
import type { Hypervisor } from '#crds/v1alpha1/hypervisor.ts';
import { hypervisorResource, operationResource, virtualMachineResource } from '#crds/v1alpha1/kinds.ts';
import { LEADER_LEASE, SYSTEM_NAMESPACE } from '#crds/v1alpha1/names.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { Controller } from '#runtime/controller/controller.ts';
import { guardedStore } from '#runtime/lease/guarded-store.ts';
import { LeaderElection } from '#runtime/lease/leader-election.ts';
import { Adopters } from './adoption/adopters.ts';
import { AUTOMATIC, acceptanceRule } from './hypervisor/acceptance.ts';
import { candidateOf } from './hypervisor/candidate.ts';
import type { HypervisorContext } from './hypervisor/context.ts';
import { guestHere } from './hypervisor/draining.ts';
import { heardOf } from './hypervisor/observe.ts';
import { reconcileHypervisor } from './hypervisor/reconcile.ts';
import { Drains } from './migration/drains.ts';
import { DEFAULT_MIGRATION } from './migration/settings.ts';
import type { OperationContext } from './operation/context.ts';
import { reconcileOperation } from './operation/reconcile.ts';
import type { Candidate } from './placement/candidate.ts';
import { reportController, reportsOf, siteController } from './rebuild/wiring.ts';
import { SiteState } from './site/reconcile.ts';
import type { TakeoverContext } from './takeover/context.ts';
import { reconcileTakeover } from './takeover/reconcile.ts';
import { Takeovers } from './takeover/takeovers.ts';
import type { Silence } from './takeover/wants-takeover.ts';
import { controller, type OperatorOptions, type Term } from './term.ts';
import { reconcileVirtualMachine } from './virtual-machine/reconcile.ts';
import { heldBy, listenerFor, SITE_KEY, wakeEverything, wakeHeld } from './wake.ts';
import { World } from './world.ts';

const MOST_SILENT_PERCENT = 50;

/** Runs until `stop` aborts, deciding only while it leads; then hands over cleanly. Rejects only if it cannot go on. */
export async function runOperator(options: OperatorOptions, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    const changed = new AbortController();
    const onOtherControlPlane = () => {
      options.logger.warn('the control plane is another one, or went back in time: everything is read anew');
      changed.abort(new Error('the control plane is another one, or went back in time'));
    };
    await operate(options, { over: AbortSignal.any([stop, changed.signal]), onOtherControlPlane });
  }
}

interface Service {
  /** Aborts with `stop`, or when the control plane is no longer the one that was read. */
  readonly over: AbortSignal;
  readonly onOtherControlPlane: () => void;
}

async function operate(options: OperatorOptions, { over, onOtherControlPlane }: Service): Promise<void> {
  const world = new World({ ...options, onWentBack: onOtherControlPlane });
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
    await world.synced(over);
    options.observer?.count(() => world.machines.cache.list());
    options.onSynced?.();
    const onLeading = async (leading: AbortSignal) => {
      const isLeading = () => election.isLeading();
      await lead({ options, world, stop: over, leading, isLeading, onOtherControlPlane });
    };
    await election.run({ onLeading, stop: over });
  } catch (error) {
    if (!over.aborted) throw error;
  } finally {
    ended.abort();
    await running;
  }
}

/** One term as the leader: everything is looked at once, then whatever changes. */
async function lead(term: Term): Promise<void> {
  const { world, stop, leading } = term;
  world.listenAnew();
  const waiting = new Map<string, number>();
  const state = new SiteState();
  const known = new Takeovers();
  const hypervisors: Controller = hypervisorController(term, {
    hold: () => state.hold,
    onReachabilityChanged: (name) => wakeHeld(listener, name),
    why: (uid) => drains.why(uid),
  });
  const drains = new Drains((name) => hypervisors.enqueue(name));
  const machines = machineController(term, { state, waiting, drains, known });
  const takeovers = takeoverController(term, known, (name) =>
    heldBy(world, name).forEach((key) => machines.enqueue(key)),
  );
  const operations = operationController(term, state);
  const reports = reportController(term, state);
  const everything = () => wakeEverything(world, { hypervisors, machines, reports, operations });
  const site = siteController(term, state, everything);
  const controllers = { site, hypervisors, machines, takeovers, reports, operations };
  const listener = listenerFor(world, { ...controllers, state, waiting, drains });
  world.listen(listener);
  site.enqueue(SITE_KEY);
  everything();
  await Promise.all(Object.values(controllers).map(async (controller) => controller.run(stop, leading)));
  world.listen(undefined);
}

function hypervisorController(
  { options, world, isLeading }: Term,
  { hold, onReachabilityChanged, why }: Pick<HypervisorContext, 'hold' | 'onReachabilityChanged'> & Pick<Drains, 'why'>,
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
    hold,
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
  readonly state: SiteState;
  readonly waiting: Map<string, number>;
  readonly drains: Drains;
  readonly known: Takeovers;
}

function machineController({ options, world, isLeading }: Term, { state, waiting, drains, known }: Shared): Controller {
  const reports = reportsOf(options, world);
  const adopters = new Adopters(world.machines.cache, world.reports.cache);
  const context = {
    store: guardedStore(options.store, isLeading),
    machineType: virtualMachineResource,
    machines: world.machines.cache,
    ownWrites: world.machineWrites,
    ledger: world.ledger,
    refusals: world.refusals,
    candidates: () => world.hypervisors.cache.list().map((cached) => candidateIn(world, options, { cached, state })),
    candidate: (name: string) => {
      const cached = world.hypervisors.cache.get(name);
      return cached === undefined ? undefined : candidateIn(world, options, { cached, state });
    },
    silence: (name: string) => silenceOf(world, options, known, name),
    foreignFor: (vm: VirtualMachine) => adopters.guestFor(vm),
    claimFor: (vm: VirtualMachine) => reports.claimFor(vm),
    hold: () => state.hold,
    sign: (payload: string) => options.signer.sign(payload),
    migration: options.migration ?? DEFAULT_MIGRATION,
    stays: (vm: VirtualMachine, why: string | undefined) => drains.tell(vm, why),
    waiting,
    warn: options.warn,
    observer: options.observer,
    clock: options.clock,
    logger: options.logger,
  };
  return controller(options, 'virtual-machine', async (key, signal) =>
    // Nothing is placed before it is known whether the site is on hold. All are looked at then.
    state.isKnown ? reconcileVirtualMachine(context, key, signal) : {},
  );
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

function operationController({ options, world, isLeading }: Term, state: SiteState): Controller {
  const context: OperationContext = {
    store: guardedStore(options.store, isLeading),
    operationType: operationResource,
    machineType: virtualMachineResource,
    hypervisorType: hypervisorResource,
    operations: world.operations.cache,
    ownWrites: world.operationWrites,
    machines: world.machines.cache,
    machineWrites: world.machineWrites,
    guests: {
      reports: reportsOf(options, world),
      machines: world.machines.cache,
      hypervisors: world.hypervisors.cache,
      phase: () => state.hold?.phase,
    },
    candidates: () => world.hypervisors.cache.list().map((cached) => candidateIn(world, options, { cached, state })),
    hold: () => state.hold,
    working: new Map(),
    sign: (payload: string) => options.signer.sign(payload),
    warn: options.warn,
    clock: options.clock,
    logger: options.logger,
  };
  return controller(options, 'operation', async (key, signal) =>
    // What hypervisors can take is not known before it is known which control plane this is.
    state.isKnown ? reconcileOperation(context, key, signal) : {},
  );
}

interface Known {
  readonly cached: Hypervisor;
  readonly state: SiteState;
}

function candidateIn(world: World, { clock }: OperatorOptions, { cached, state }: Known): Candidate {
  const hypervisor = world.hypervisorWrites.latest(cached);
  const heard = heardOf({ clock, heartbeats: world.heartbeats, outages: world.outages }, hypervisor);
  const { name } = hypervisor.metadata;
  const held = {
    assigned: world.ledger.assignedTo(name),
    disksInUse: world.ledger.disksInUseOn(name),
    startsFail: world.refusals.failedLatelyOn(name, clock.monotonic()),
  };
  const candidate = candidateOf(hypervisor, heard, held);
  const { uid } = hypervisor.status?.controlPlane ?? {};
  // It serves a control plane that this operator has not met yet: nothing is known here of what it may have.
  return uid === undefined || uid === state.cluster ? candidate : { ...candidate, accepted: false };
}
