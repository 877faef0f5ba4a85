// Puts the daemon of one node together from its parts. No decision is made here.
import type { Amount } from '#crds/amount.ts';
import { findCondition } from '#crds/conditions.ts';
import type { GuardPromise } from '#crds/derive/guard-promise.ts';
import { instanceUuid } from '#crds/derive/signed-payload.ts';
import type { Hypervisor, HypervisorSpec } from '#crds/v1alpha1/hypervisor.ts';
import { hypervisorResource, virtualMachineResource } from '#crds/v1alpha1/kinds.ts';
import { isOurAnnotation } from '#crds/v1alpha1/names.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { Clock, Random } from '#runtime/clock/clock.ts';
import { Controller, type ControllerObserver } from '#runtime/controller/controller.ts';
import type { KubeObject } from '#runtime/kube/resource.ts';
import type { KubeStore } from '#runtime/kube/store.ts';
import type { Lease } from '#runtime/lease/lease.ts';
import type { Logger } from '#runtime/process/log.ts';
import { OwnWrites } from '#runtime/reflector/own-writes.ts';
import { Reflector, type ReflectorObserver } from '#runtime/reflector/reflector.ts';
import { Answers, holdOf, latestVersion } from './control-plane/answers.ts';
import { meet } from './control-plane/meet.ts';
import type { ControlPlaneMemory } from './control-plane/memory.ts';
import { isUpToDate } from './control-plane/up-to-date.ts';
import { ControlPlaneWatch } from './control-plane/watch.ts';
import { Admission } from './domains/admission.ts';
import { type DomainContext, isWatched } from './domains/context.ts';
import { Memories } from './domains/memory.ts';
import { Moves } from './domains/moves.ts';
import { Orphans } from './domains/orphans.ts';
import { reconcileDomain } from './domains/reconcile.ts';
import { Guarding } from './guard/guarding.ts';
import type { BootTime, GuardFiles } from './guard/orders.ts';
import type { HypervisorDriver } from './hypervisor/driver.ts';
import { register } from './inventory/register.ts';
import { HypervisorReporter } from './inventory/report.ts';
import type { GuestMetrics } from './metrics.ts';
import { NodeLease } from './node-lease.ts';
import { DomainReporter } from './reports/reporter.ts';
import { Scanner } from './scan.ts';
import { settleStrays } from './strays.ts';
import type { PublishLimits } from './usage/publish.ts';
import { UsageReporter } from './usage/report.ts';

export interface NodeDaemonOptions {
  readonly store: KubeStore;
  readonly driver: HypervisorDriver;
  readonly driverName: HypervisorSpec['driver'];
  readonly nodeName: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Left out, guests cannot move to or from here. */
  readonly migration?: { readonly address: string; readonly sharedPools: readonly string[] };
  readonly bootID: () => Promise<string>;
  readonly agentVersion: string;
  /** Kept back for the machine itself. */
  readonly reserved: Amount;
  readonly heartbeatIntervalMs: number;
  readonly sampleIntervalMs: number;
  readonly usageLimits: PublishLimits;
  /** Which control plane this machine has served. */
  readonly controlPlaneMemory: ControlPlaneMemory;
  /** Writes a warning that `kubectl describe` shows. */
  readonly warn: (object: KubeObject, reason: string, message: string) => void;
  /** Counts guests, and how they ended. */
  readonly observer?: GuestMetrics | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly controllerObserver?: (controller: string) => ControllerObserver;
  readonly reflectorObserver?: (kind: string) => ReflectorObserver;
  /** Says why this daemon does not look after guests; with undefined, that it does. */
  readonly setUnready?: (reason: string | undefined) => void;
  /** Where a guard of this machine stands by. */
  readonly guard?:
    | { readonly files: GuardFiles; readonly bootTime: BootTime; readonly promise: GuardPromise }
    | undefined;
  /** Says why the hypervisor cannot be asked; with undefined, that it can. */
  readonly tellHypervisor?: (fault: string | undefined) => void;
}

/**
 * Runs until `stop` aborts, while this daemon holds the Lease of its node; while another does, it does nothing. Guests
 * are not touched by its end. Rejects only if it cannot go on.
 */
export async function runNodeDaemon(options: NodeDaemonOptions, stop: AbortSignal): Promise<void> {
  const { controlPlaneMemory: memory, logger, driver } = options;
  const bootID = await options.bootID();
  const admission = new Admission();
  const controlPlane = await ControlPlaneWatch.begin({ memory, logger });
  const guarding = options.guard === undefined ? undefined : new Guarding({ ...options, ...options.guard, bootID });
  const ended = new AbortController();
  const standingBy = guarding?.run(ended.signal);
  try {
    while (!stop.aborted) await serve(options, { bootID, admission, guarding, controlPlane }, stop);
  } finally {
    ended.abort();
    await standingBy;
    await driver.close();
  }
}

interface Identity {
  readonly bootID: string;
  readonly admission: Admission;
  readonly guarding: Guarding | undefined;
  readonly controlPlane: ControlPlaneWatch;
}

/** Until `stop` aborts, or the control plane comes into doubt: then everything is read anew. */
async function serve(options: NodeDaemonOptions, identity: Identity, stop: AbortSignal): Promise<void> {
  const { bootID, admission, guarding, controlPlane } = identity;
  const changed = new AbortController();
  const over = AbortSignal.any([stop, changed.signal]);
  const onVersion = (resourceVersion: string) => controlPlane.sees('Lease', resourceVersion);
  const onSurprise = (found: Lease | undefined, written: Lease) =>
    controlPlane.finds(found?.metadata, written.metadata);
  const lease = new NodeLease({ ...options, bootID, guarding, onVersion, onSurprise });
  const work = async (held: AbortSignal) => {
    if (!(await meet({ ...options, controlPlane }, held))) return;
    controlPlane.onDoubt(() => changed.abort(new Error('the control plane is another one, or went back in time')));
    await lookAfterGuests(options, { ...identity, lease }, held);
  };
  try {
    // A start that is under way may come true after the Lease was given up, and the next holder may start it as well.
    await lease.hold(over, work, () => !changed.signal.aborted && !admission.isStarting());
  } catch (error) {
    if (!changed.signal.aborted) throw error;
  }
}

interface Holder extends Identity {
  readonly lease: NodeLease;
}

async function lookAfterGuests(options: NodeDaemonOptions, identity: Holder, held: AbortSignal): Promise<void> {
  const registered = await register({ ...options, driver: options.driverName }, held);
  const ended = new AbortController();
  const parts = assemble(options, { ...identity, registered, held });
  const reflectors = [parts.machines, parts.incoming, parts.hypervisors];
  const running = reflectors.map(async (reflector) => reflector.run(ended.signal));
  try {
    await Promise.all(reflectors.map(async (reflector) => reflector.synced(held)));
    // Not before: of a list that is not complete the guard would forget guests.
    identity.guarding?.lookAfter(
      () => parts.machines.cache.list(),
      (uuids) => uuids.forEach((uuid) => parts.domains.enqueue(uuid)),
    );
    await settleStrays(parts.context, options.random, held);
    options.setUnready?.(undefined);
    await Promise.all([parts.domains.run(held), parts.scanner.run(held), parts.usage.run(held)]);
  } catch (error) {
    if (!held.aborted) throw error;
  } finally {
    ended.abort();
    await Promise.all(running);
  }
}

interface Membership extends Holder {
  readonly registered: Hypervisor;
  readonly held: AbortSignal;
}

function assemble(options: NodeDaemonOptions, membership: Membership) {
  const { registered, bootID, controlPlane, held } = membership;
  const { random, nodeName, store } = options;
  const machines = machineReflector(options, controlPlane, 'placement.hypervisor');
  const incoming = machineReflector(options, controlPlane, 'migration.plan.target');
  const hypervisors = hypervisorReflector(options);
  const hypervisor = () => hypervisors.cache.get(nodeName) ?? registered;
  const orphans = new Orphans(() => scanner.scanSoon());
  const caches = { machines: machines.cache, incoming: incoming.cache };
  const context = domainContext(options, { ...membership, ...caches, hypervisor, orphans });
  const domains = domainController(options, context);
  const reports = new DomainReporter({ store, nodeName, bootID, hypervisor });
  const answers = new Answers(controlPlane, reports, () => isUpToDate({ ...options, ...caches, controlPlane }, held));
  const reporter = new HypervisorReporter({ ...options, bootID, hypervisor, context, reports, answers });
  const scanner = new Scanner({ context, reporter, hypervisor, random, enqueue: (uuid) => domains.enqueue(uuid) });
  const usage = new UsageReporter({ ...options, machines: machines.cache, hypervisor, limits: options.usageLimits });
  [machines, incoming].forEach((reflector) => lookAtChanges(reflector, context, domains));
  hypervisors.onChange((change) => {
    if (change.type === 'deleted') return registerAgain(options, held);
    if (isWorthAScan(change.object, change.type === 'updated' ? change.previous : undefined)) scanner.scanSoon();
    return answers.heard(change.object);
  });
  return { context, machines, incoming, hypervisors, domains, scanner, usage };
}

function lookAtChanges(
  reflector: Reflector<VirtualMachine, 'uuid'>,
  context: DomainContext,
  domains: Pick<Controller, 'enqueue'>,
): void {
  reflector.onChange(({ type, object }) => {
    if (type === 'deleted' && !isWatched(context, object)) context.ownWrites.forget(object.metadata.uid);
    domains.enqueue(instanceUuid(object));
  });
}

interface Surroundings extends Membership, Pick<DomainContext, 'machines' | 'incoming' | 'orphans'> {
  readonly hypervisor: () => Hypervisor;
}

function domainContext(options: NodeDaemonOptions, surroundings: Surroundings): DomainContext {
  const { machines, incoming, hypervisor, orphans, bootID, lease, admission, guarding, controlPlane, held } =
    surroundings;
  const { store, driver, nodeName, warn, observer, clock, logger } = options;
  const pools = options.migration === undefined ? {} : { sharedPools: options.migration.sharedPools };
  return {
    store,
    machineType: virtualMachineResource,
    machines,
    incoming,
    ownWrites: new OwnWrites<VirtualMachine>(),
    driver,
    admission,
    heartbeat: lease,
    isGuarded: (uuid) => guarding?.isGuarded(uuid) ?? false,
    hold: () => holdOf(controlPlane, hypervisor()),
    verifyControlPlane: async () => controlPlane.verify(async () => latestVersion(store, held)),
    self: () => ({ name: nodeName, uid: hypervisor().metadata.uid, bootID, ...pools }),
    memories: new Memories(),
    moves: new Moves(),
    initiators: new Map(),
    orphans,
    warn,
    observer,
    clock,
    logger,
  };
}

/** The spec has changed, or a hold of the site begins or ends, or nobody hears us. */
function isWorthAScan(hypervisor: Hypervisor, previous: Hypervisor | undefined): boolean {
  const changed = previous?.metadata.generation !== hypervisor.metadata.generation;
  return changed || holdInWords(previous) !== holdInWords(hypervisor) || isToldSilent(hypervisor);
}

function holdInWords(hypervisor: Hypervisor | undefined): string {
  const { id = '', state = '' } = hypervisor?.status?.hold ?? {};
  return `${id} ${state}`;
}

/** We were not heard for a while: only our own report ends that. */
function isToldSilent({ status }: Hypervisor): boolean {
  return findCondition(status?.conditions, 'Ready')?.status === 'Unknown';
}

/** Somebody deleted the Hypervisor of a node that is alive: it comes back, under a new uid and to be accepted anew. */
async function registerAgain(options: NodeDaemonOptions, stop: AbortSignal): Promise<void> {
  await register({ ...options, driver: options.driverName }, stop);
}

type MachineReflector = Reflector<VirtualMachine, 'uuid'>;

/** Only the VMs that were given to this node, or those that are to come here: those whose status names it there. */
function machineReflector(
  options: NodeDaemonOptions,
  controlPlane: ControlPlaneWatch,
  where: 'placement.hypervisor' | 'migration.plan.target',
): MachineReflector {
  const selection = { fieldSelector: `status.${where}=${options.nodeName}` };
  const given = options.reflectorObserver?.('VirtualMachine') ?? {};
  const listed: ReflectorObserver['listed'] = (...told) => {
    controlPlane.sees(`VirtualMachine by ${where}`, reflector.resourceVersion);
    given.listed?.(...told);
  };
  const observer = { ...given, listed };
  const indexes = { uuid: (vm: VirtualMachine) => [instanceUuid(vm)] };
  const kept = { indexes, keepsAnnotation: isOurAnnotation };
  const reflector: MachineReflector = new Reflector({
    ...options,
    ...kept,
    type: virtualMachineResource,
    selection,
    observer,
  });
  return reflector;
}

function hypervisorReflector(options: NodeDaemonOptions): Reflector<Hypervisor> {
  const selection = { fieldSelector: `metadata.name=${options.nodeName}` };
  const observer = options.reflectorObserver?.('Hypervisor') ?? {};
  const keepsAnnotation = isOurAnnotation;
  return new Reflector({ ...options, type: hypervisorResource, selection, keepsAnnotation, observer });
}

/** libvirtd works on twenty calls at once (its max_workers); what only looks goes by other connections. */
const WORKERS = 16;

function domainController(options: NodeDaemonOptions, context: DomainContext): Controller {
  const { clock, random, logger, controllerObserver } = options;
  return new Controller({
    name: 'domain',
    reconcile: async (uuid, signal) => reconcileDomain(context, uuid, signal),
    clock,
    random,
    logger,
    workers: WORKERS,
    observer: controllerObserver?.('domain'),
  });
}
