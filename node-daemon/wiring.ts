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
import type { Logger } from '#runtime/process/log.ts';
import type { ObjectChange } from '#runtime/reflector/changes.ts';
import { OwnWrites } from '#runtime/reflector/own-writes.ts';
import { Reflector, type ReflectorObserver } from '#runtime/reflector/reflector.ts';
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
  const bootID = await options.bootID();
  const admission = new Admission();
  const guarding = options.guard === undefined ? undefined : new Guarding({ ...options, ...options.guard, bootID });
  const lease = new NodeLease({ ...options, bootID, guarding });
  const identity = { bootID, lease, admission, guarding };
  const work = async (held: AbortSignal) => lookAfterGuests(options, identity, held);
  const ended = new AbortController();
  const standingBy = guarding?.run(ended.signal);
  try {
    // A start that is under way may come true after the Lease was given up, and the next holder may start it as well.
    await lease.hold(stop, work, () => !admission.isStarting());
  } finally {
    ended.abort();
    await standingBy;
    await options.driver.close();
  }
}

interface Identity {
  readonly bootID: string;
  readonly lease: NodeLease;
  readonly admission: Admission;
  readonly guarding: Guarding | undefined;
}

async function lookAfterGuests(options: NodeDaemonOptions, identity: Identity, held: AbortSignal): Promise<void> {
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

interface Membership extends Identity {
  readonly registered: Hypervisor;
  readonly held: AbortSignal;
}

function assemble(options: NodeDaemonOptions, membership: Membership) {
  const { registered, bootID, lease, admission, guarding, held } = membership;
  const { clock, random, logger, nodeName, driver, store } = options;
  const machines = machineReflector(options, `status.placement.hypervisor=${nodeName}`);
  const incoming = machineReflector(options, `status.migration.plan.target=${nodeName}`);
  const hypervisors = hypervisorReflector(options);
  const hypervisor = () => hypervisors.cache.get(nodeName) ?? registered;
  const pools = options.migration === undefined ? {} : { sharedPools: options.migration.sharedPools };
  const context: DomainContext = {
    store,
    machineType: virtualMachineResource,
    machines: machines.cache,
    incoming: incoming.cache,
    ownWrites: new OwnWrites<VirtualMachine>(),
    driver,
    admission,
    heartbeat: lease,
    isGuarded: (uuid) => guarding?.isGuarded(uuid) ?? false,
    self: () => ({ name: nodeName, uid: hypervisor().metadata.uid, bootID, ...pools }),
    memories: new Memories(),
    moves: new Moves(),
    initiators: new Map(),
    orphans: new Orphans(() => scanner.scanSoon()),
    warn: options.warn,
    observer: options.observer,
    clock,
    logger,
  };
  const domains = domainController(options, context);
  const reports = new DomainReporter({ store, nodeName, bootID, hypervisor });
  const reporter = new HypervisorReporter({ ...options, bootID, hypervisor, context, reports });
  const scanner = new Scanner({ context, reporter, hypervisor, random, enqueue: (uuid) => domains.enqueue(uuid) });
  const usage = new UsageReporter({ ...options, machines: machines.cache, hypervisor, limits: options.usageLimits });
  [machines, incoming].forEach((reflector) => lookAtChanges(reflector, context, domains));
  hypervisors.onChange((change) => hypervisorChanged(change, { options, scanner, held }));
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

function hypervisorChanged(
  change: ObjectChange<Hypervisor>,
  { options, scanner, held }: { options: NodeDaemonOptions; scanner: Scanner; held: AbortSignal },
): Promise<void> | undefined {
  if (change.type === 'deleted') return registerAgain(options, held);
  const previous = change.type === 'updated' ? change.previous : undefined;
  const changed = previous?.metadata.generation !== change.object.metadata.generation;
  if (changed || isToldSilent(change.object)) scanner.scanSoon();
  return undefined;
}

/** We were not heard for a while: only our own report ends that. */
function isToldSilent({ status }: Hypervisor): boolean {
  return findCondition(status?.conditions, 'Ready')?.status === 'Unknown';
}

/** Somebody deleted the Hypervisor of a node that is alive: it comes back, under a new uid and to be accepted anew. */
async function registerAgain(options: NodeDaemonOptions, stop: AbortSignal): Promise<void> {
  await register({ ...options, driver: options.driverName }, stop);
}

/** Only the VMs that were given to this node, or those that are to come here. */
function machineReflector(options: NodeDaemonOptions, fieldSelector: string): Reflector<VirtualMachine, 'uuid'> {
  const selection = { fieldSelector };
  const observer = options.reflectorObserver?.('VirtualMachine') ?? {};
  const indexes = { uuid: (vm: VirtualMachine) => [instanceUuid(vm)] };
  const kept = { indexes, keepsAnnotation: isOurAnnotation };
  return new Reflector({ ...options, ...kept, type: virtualMachineResource, selection, observer });
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
