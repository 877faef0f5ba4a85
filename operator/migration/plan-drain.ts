// Guests of a hypervisor that is to be emptied: each moves as soon as it can, within limits, and nothing is stopped. Pure.
import { findCondition } from '#crds/conditions.ts';
import { askedOnce } from '#crds/derive/asked-once.ts';
import { currentInstance } from '#crds/derive/epoch.ts';
import { verdictOn } from '#crds/derive/migration.ts';
import type { MigrationPlan } from '#crds/v1alpha1/migration-status.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { Granted } from '#crds/v1alpha1/virtual-machine-status.ts';
import type { Candidate } from '#operator/placement/candidate.ts';
import type { Plan } from '#operator/virtual-machine/actions.ts';
import { demandOf } from '#operator/virtual-machine/demand.ts';
import type { Snapshot } from '#operator/virtual-machine/snapshot.ts';
import { chooseTarget } from './target.ts';

/** After an attempt that failed, the next one waits for so long. */
const RETRY_MS = 120_000;
/** Room and other migrations are waited for; whatever was missed is noticed by then. */
const LOOK_AGAIN_MS = 30_000;
/** For both daemons to answer, before and after the move itself. */
const PREPARE_MS = 60_000;

/** Undefined where the VM's hypervisor is not to be emptied, or holds no guest of it. */
export function planDrain(snapshot: Snapshot, granted: Granted): Plan | undefined {
  const { vm, home } = snapshot;
  const source = home.kind === 'Known' ? home.candidate : undefined;
  const instance = currentInstance(vm.status);
  if (source?.maintenance !== true || instance === undefined) return undefined;
  const obstacle = obstacleHere(snapshot, source, granted);
  if (obstacle !== undefined) return obstacle;
  const { migrations } = snapshot;
  const busy = (hypervisor: string) => migrations.at(hypervisor) >= migrations.settings.perHypervisor;
  if (migrations.inAll >= migrations.settings.atOnce || busy(source.name))
    return waiting('Waits for other migrations to end.');
  const where = chooseTarget(demandOf(snapshot, granted), source, { candidates: snapshot.candidates, busy });
  if (where.kind !== 'Chosen') return waiting(where.message);
  return { actions: [{ kind: 'StartMigration', plan: planTo(snapshot, source, where), reason: where.reason }] };
}

/** What can be told without looking at other hypervisors. */
function obstacleHere({ vm, wallTime }: Snapshot, source: Candidate, granted: Granted): Plan | undefined {
  const state = currentInstance(vm.status)?.powerState;
  if (state !== 'Running') return waiting(`It is ${state}: only guests that run move.`);
  if (granted.powerState !== 'Running') return waiting(`It is to be ${granted.powerState}.`);
  const asked = askedOnce(vm.status);
  if (asked !== undefined) return waiting(`The operation ${asked.name} is to ${asked.type} it first.`);
  const migratable = findCondition(vm.status?.conditions, 'Migratable');
  if (migratable?.status !== 'True')
    return waiting(migratable?.message ?? 'Its daemon has not said whether it can move.');
  return source.reachable.yes ? pauseAfterFailure(vm, wallTime) : waiting(source.reachable.why);
}

function pauseAfterFailure(vm: VirtualMachine, wallTime: number): Plan | undefined {
  const last = verdictOn(vm.status);
  if (last === undefined || last.result === 'Completed') return undefined;
  const left = Date.parse(last.time) + RETRY_MS - wallTime;
  return left > 0 ? { ...waiting(`The last attempt failed: ${last.reason}`), again: left + 1 } : undefined;
}

function waiting(stays: string): Plan {
  return { actions: [], stays, again: LOOK_AGAIN_MS, waitsForRoom: true };
}

function planTo(
  { vm, migrations, wallTime }: Snapshot,
  source: Candidate,
  { candidate, reason }: { readonly candidate: Candidate; readonly reason: string },
): Omit<MigrationPlan, 'time'> {
  const { timeoutSeconds, bandwidthMiB } = migrations.settings;
  const deadline = wallTime + PREPARE_MS + timeoutSeconds * 1000;
  return {
    attempt: (vm.status?.migration?.plan?.attempt ?? 0) + 1,
    source: source.name,
    target: candidate.name,
    targetUID: candidate.uid,
    epoch: epochAfter(vm),
    address: candidate.migration.address ?? '',
    step: 'Move',
    requestedBy: `maintenance of ${source.name}`,
    reason,
    deadline: `${new Date(deadline).toISOString().slice(0, 19)}Z`,
    timeoutSeconds,
    ...(bandwidthMiB === undefined ? {} : { bandwidthMiB }),
  };
}

function epochAfter({ status }: VirtualMachine): number {
  return (status?.placement?.epoch ?? 0) + 1;
}
