// Where a migration stands. Each side tells of the attempt that it means: what was told of an earlier one is past.
import type {
  MigrationPlan,
  MigrationSource,
  MigrationTarget,
  MigrationVerdict,
} from '#crds/v1alpha1/migration-status.ts';
import type { VirtualMachineStatus } from '#crds/v1alpha1/virtual-machine-status.ts';
import { currentInstance } from './epoch.ts';

export interface ActiveMigration {
  readonly plan: MigrationPlan;
  readonly source: MigrationSource | undefined;
  readonly target: MigrationTarget | undefined;
}

/** The migration that is under way, with what both sides have told of it; undefined where none is. */
export function activeMigration(status: VirtualMachineStatus | undefined): ActiveMigration | undefined {
  const { plan, source, target } = status?.migration ?? {};
  if (plan === undefined || verdictOn(status) !== undefined) return undefined;
  // Placed anew meanwhile, as its hypervisor was proven dead: it moves no more.
  if (plan.source !== status?.placement?.hypervisor || plan.epoch !== status.placement.epoch + 1) return undefined;
  return { plan, source: of(plan, source), target: of(plan, target) };
}

/** How the latest migration ended; undefined where it has not, or where there was none. */
export function verdictOn(status: VirtualMachineStatus | undefined): MigrationVerdict | undefined {
  const { plan, verdict } = status?.migration ?? {};
  return plan === undefined ? undefined : of(plan, verdict);
}

function of<T extends { readonly attempt: number }>(plan: MigrationPlan, told: T | undefined): T | undefined {
  return told?.attempt === plan.attempt ? told : undefined;
}

/** Its latest move ended with the guest on neither side: both have said so since it was last seen to run. */
export function wasLostOnItsWay(status: VirtualMachineStatus | undefined): boolean {
  const { plan, source, target } = status?.migration ?? {};
  const verdict = verdictOn(status);
  if (plan === undefined || verdict?.result !== 'Failed') return false;
  const onNeither = of(plan, source)?.state === 'Gone' && of(plan, target)?.state === 'Absent';
  return onNeither && (currentInstance(status)?.since ?? '') <= verdict.time;
}

/** The guest came by migration to whoever holds the permission now, who has not reported on it yet. */
export function hasJustArrived(status: VirtualMachineStatus | undefined): boolean {
  const { migration, placement } = status ?? {};
  if (verdictOn(status)?.result !== 'Completed' || currentInstance(status) !== undefined) return false;
  return placement !== undefined && migration?.plan?.epoch === placement.epoch;
}
