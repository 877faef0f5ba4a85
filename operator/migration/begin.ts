// What every migration begins with, whoever asked for it. Pure.
import { findCondition } from '#crds/conditions.ts';
import { currentInstance } from '#crds/derive/epoch.ts';
import type { MigrationPlan } from '#crds/v1alpha1/migration-status.ts';
import type { Granted } from '#crds/v1alpha1/virtual-machine-status.ts';
import type { Candidate } from '#operator/placement/candidate.ts';
import { demandOf } from '#operator/virtual-machine/demand.ts';
import type { Snapshot } from '#operator/virtual-machine/snapshot.ts';
import { chooseTarget, type Where } from './target.ts';

/** For both daemons to answer, before and after the move itself. */
const PREPARE_MS = 60_000;
/** Room and other migrations are waited for; whatever was missed is noticed by then. */
export const LOOK_AGAIN_MS = 30_000;

/** Why it cannot move now, as far as can be told without looking at other hypervisors. */
export function obstacleHere({ vm }: Snapshot, source: Candidate, granted: Granted): string | undefined {
  const state = currentInstance(vm.status)?.powerState ?? 'not started yet';
  if (state !== 'Running') return `It is ${state}: only guests that run move.`;
  if (granted.powerState !== 'Running') return `It is to be ${granted.powerState}.`;
  const migratable = findCondition(vm.status?.conditions, 'Migratable');
  if (migratable?.status !== 'True') return migratable?.message ?? 'Its daemon has not said whether it can move.';
  return source.reachable.yes ? undefined : source.reachable.why;
}

/** Where it goes among these; that it waits for other migrations; or why it can go nowhere. */
export function whereTo(
  snapshot: Snapshot,
  source: Candidate,
  { granted, candidates }: { readonly granted: Granted; readonly candidates: readonly Candidate[] },
): Where {
  const { migrations } = snapshot;
  const busy = (hypervisor: string) => migrations.at(hypervisor) >= migrations.settings.perHypervisor;
  if (migrations.inAll >= migrations.settings.atOnce || busy(source.name))
    return { kind: 'Busy', message: 'Waits for other migrations to end.' };
  return chooseTarget(demandOf(snapshot, granted), source, { candidates, busy });
}

/** Who asked, in words, and the operation where one did. */
export type Wish = Pick<MigrationPlan, 'requestedBy' | 'operationUID'>;

export function migrationTo(
  { vm, migrations, wallTime }: Snapshot,
  [source, target]: readonly [Candidate, Candidate],
  { wish, reason }: { readonly wish: Wish; readonly reason: string },
): Omit<MigrationPlan, 'time'> {
  const { timeoutSeconds, bandwidthMiB } = migrations.settings;
  const deadline = wallTime + PREPARE_MS + timeoutSeconds * 1000;
  return {
    attempt: (vm.status?.migration?.plan?.attempt ?? 0) + 1,
    source: source.name,
    target: target.name,
    targetUID: target.uid,
    epoch: (vm.status?.placement?.epoch ?? 0) + 1,
    address: target.migration.address ?? '',
    step: 'Move',
    ...wish,
    reason,
    deadline: `${new Date(deadline).toISOString().slice(0, 19)}Z`,
    timeoutSeconds,
    ...(bandwidthMiB === undefined ? {} : { bandwidthMiB }),
  };
}
