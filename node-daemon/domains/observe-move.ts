// What is to be known of a guest that moves from here or to here.
import { type Amount, amountOf, larger } from '#crds/amount.ts';
import { currentInstance } from '#crds/derive/epoch.ts';
import { type ActiveMigration, activeMigration } from '#crds/derive/migration.ts';
import type { MigrationPlan } from '#crds/v1alpha1/migration-status.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { MigrationProgress } from '../hypervisor/driver.ts';
import { isDriverError } from '../hypervisor/errors.ts';
import type { DomainContext } from './context.ts';
import { definitionOf } from './definition.ts';
import type { MoveSeen, Seen } from './snapshot.ts';

/** Undefined where no migration concerns this node. Rejects with a DriverError where the hypervisor does not answer. */
export async function observeMove(
  context: DomainContext,
  { uuid, vm, domain }: { uuid: string; vm: VirtualMachine | undefined; domain: Seen },
): Promise<MoveSeen | undefined> {
  const { name } = context.self();
  const active = activeMigration(vm?.status);
  const expected = vm !== undefined && isExpected(active, name);
  context.admission.promised(uuid, expected ? amountMoving(vm) : undefined);
  const plan = planHere(vm, name);
  if (vm === undefined || plan === undefined) return undefined;
  const state = domain.kind === 'Present' ? domain.domain.powerState : domain.kind;
  if (active === undefined && state !== 'Incoming') return undefined;
  return moveSeen(context, uuid, { vm, plan, active, state });
}

/** The latest migration, where it is from here or to here. */
function planHere(vm: VirtualMachine | undefined, name: string): MigrationPlan | undefined {
  const plan = vm?.status?.migration?.plan;
  return plan?.source === name || plan?.target === name ? plan : undefined;
}

interface Looked {
  readonly vm: VirtualMachine;
  readonly plan: MigrationPlan;
  readonly active: ActiveMigration | undefined;
  /** Of the domain here. */
  readonly state: string;
}

async function moveSeen(context: DomainContext, uuid: string, looked: Looked): Promise<MoveSeen> {
  const { vm, plan, active, state } = looked;
  const { moves, clock, self } = context;
  const { name } = self();
  const looks = [plan.attempt, state, active?.source?.state, active?.target?.state].join(' ');
  return {
    progress: plan.source === name ? await progressOf(context, uuid, state) : undefined,
    own: moves.own(uuid, plan.attempt),
    unchangedFor: moves.looksFor(uuid, looks, clock.monotonic()),
    obstacle: state === 'Absent' && isAsked(active, name) ? await obstacleTo(context, vm) : undefined,
  };
}

/** This node has said that it keeps room for it. */
function isExpected(active: ActiveMigration | undefined, name: string): boolean {
  const state = active?.target?.state;
  return active?.plan.target === name && (state === 'Ready' || state === 'Running');
}

function isAsked(active: ActiveMigration | undefined, name: string): boolean {
  return active?.plan.target === name && active.plan.step === 'Move' && active.target === undefined;
}

/** What its guest has, and what it will have after a restart: both are promised, so the larger counts. */
export function amountMoving({ status }: VirtualMachine): Amount {
  const promised = [currentInstance(status)?.resources, status?.granted?.resources];
  return promised
    .flatMap((resources) => (resources === undefined ? [] : [amountOf(resources)]))
    .reduce(larger, { cpus: 0, memoryBytes: 0 });
}

async function progressOf(
  { driver }: DomainContext,
  uuid: string,
  state: string,
): Promise<MigrationProgress | undefined> {
  return state === 'Running' || state === 'Outgoing' || state === 'Paused' ? driver.migrationProgress(uuid) : undefined;
}

async function obstacleTo({ driver }: DomainContext, vm: VirtualMachine): Promise<string | undefined> {
  const { granted, placement } = vm.status ?? {};
  if (granted === undefined || placement === undefined) return 'nothing was granted';
  try {
    await driver.checkIncoming(definitionOf(vm, granted, placement));
    return undefined;
  } catch (error) {
    if (isDriverError(error, 'Invalid', 'Conflict', 'Unsupported')) return error.message;
    throw error;
  }
}
