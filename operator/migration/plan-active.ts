// A migration that is under way: what it waits for, and what ends it. Pure. Whoever is seen to run wins; where neither is,
// nobody is started before the other side has said that it does not run there.
import { type ActiveMigration, activeMigration } from '#crds/derive/migration.ts';
import type { MigrationPlan } from '#crds/v1alpha1/migration-status.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import { isOnHold } from '#operator/site/hold.ts';
import type { Action, Plan } from '#operator/virtual-machine/actions.ts';
import type { Home, Snapshot } from '#operator/virtual-machine/snapshot.ts';

/** Undefined where none is under way. Its actions, where there are any, are all that is to be done now. */
export function planActiveMigration(snapshot: Snapshot): Plan | undefined {
  const { vm, wallTime } = snapshot;
  const active = activeMigration(vm.status);
  if (active === undefined) return undefined;
  const ended = endOf(active, vm);
  if (ended !== undefined) return { actions: [ended] };
  // Its deadline may be that of a backup, and the end of the hold looks at everything anew.
  if (isOnHold(snapshot.hold)) return { actions: [] };
  const why = active.plan.step === 'Abort' ? undefined : reasonToAbort(snapshot, active);
  if (why !== undefined) return { actions: [abort(active, why)] };
  const left = Date.parse(active.plan.deadline) - wallTime;
  return { actions: [], ...(active.plan.step === 'Abort' ? {} : { again: Math.max(left, 0) + 1 }) };
}

/** Who is seen to run wins; the source before the target, which cannot run as well. */
function endOf(active: ActiveMigration, vm: VirtualMachine): Action | undefined {
  const { plan, source, target } = active;
  if (source?.state === 'Stayed') {
    const result = plan.step === 'Abort' ? 'Aborted' : 'Failed';
    return end(result, source.reason ?? 'The guest stayed where it was.');
  }
  if (target?.state === 'Running') return arrive(vm);
  return endOnNeither(active);
}

function endOnNeither({ plan, source, target }: ActiveMigration): Action | undefined {
  if (source === undefined && target?.state === 'Refused')
    return end('Failed', target.reason ?? `${plan.target} refused it.`);
  if (source?.state !== 'Gone' || target?.state !== 'Absent') return undefined;
  return end('Failed', [source.reason, target.reason].filter((reason) => reason !== undefined).join(' '));
}

function end(result: 'Failed' | 'Aborted', reason: string): Action {
  return { kind: 'EndMigration', result, reason };
}

function arrive({ status }: VirtualMachine): Action {
  const plan = status?.migration?.plan;
  if (plan === undefined) throw new TypeError('a migration without a plan cannot arrive');
  const reason = `The guest has moved from ${plan.source} to ${plan.target}, and runs there.`;
  return { kind: 'Arrive', plan, reason };
}

/** Before it has begun it is closed at once: the source would see that, and not begin. */
function abort({ source }: ActiveMigration, why: string): Action {
  return source === undefined ? end('Aborted', why) : { kind: 'AbortMigration', reason: why };
}

function reasonToAbort(snapshot: Snapshot, active: ActiveMigration): string | undefined {
  const { plan, source } = active;
  const unwanted = reasonOfPeople(snapshot, active);
  if (unwanted !== undefined) return unwanted;
  if (source?.state === 'Held' || source?.state === 'Gone')
    return `${plan.target} is to say whether the guest runs there.`;
  return snapshot.wallTime > Date.parse(plan.deadline) ? deadlineInWords(active) : undefined;
}

/** Somebody wants something else of the guest, or of the hypervisor. */
function reasonOfPeople({ vm, home }: Snapshot, { plan }: ActiveMigration): string | undefined {
  if (vm.metadata.deletionTimestamp !== undefined) return 'The VirtualMachine is being deleted.';
  const unwanted = [vm.spec.powerState, vm.status?.granted?.powerState].find((state) => state !== 'Running');
  if (unwanted !== undefined) return `The guest is to be ${unwanted}.`;
  return plan.operationUID === undefined ? reasonOfDrain(home, plan) : reasonOfOperation(vm, plan);
}

function reasonOfDrain(home: Home, plan: MigrationPlan): string | undefined {
  const isOver = home.kind === 'Known' && home.candidate?.maintenance === false;
  return isOver ? `${plan.source} is in maintenance no more.` : undefined;
}

function reasonOfOperation({ status }: VirtualMachine, plan: MigrationPlan): string | undefined {
  const isAsked = status?.granted?.operation?.uid === plan.operationUID;
  return isAsked ? undefined : `It is not asked for any more: the ${plan.requestedBy} was cancelled.`;
}

function deadlineInWords({ plan, source, target }: ActiveMigration): string {
  if (source !== undefined) return `It was not done by ${plan.deadline}.`;
  const whom = target?.state === 'Ready' ? plan.source : plan.target;
  return `The daemon of ${whom} did not answer by ${plan.deadline}.`;
}
