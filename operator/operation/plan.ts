// What the operator does about one operation: pure, from a snapshot to actions with their reasons.
import type { OperationResult, Outcome } from '#crds/v1alpha1/operation-status.ts';
import { HOLD_ADVICE, isOnHold } from '#operator/site/hold.ts';
import type { Action, Plan } from './actions.ts';
import { isWithdrawable } from './plan-once.ts';
import { planBegin, planFollowUp } from './plan-target.ts';
import { planTargets } from './plan-targets.ts';
import { type Progress, waitingIn } from './progress.ts';
import type { Snapshot } from './snapshot.ts';

/** Pure and total. An empty list of actions means that nothing is to be written. */
export function planOperation(snapshot: Snapshot): Plan {
  const { operation, progress } = snapshot;
  if (operation.metadata.deletionTimestamp !== undefined) return { actions: [] };
  if (operation.status?.completionTime !== undefined) return planRemoval(snapshot, operation.status.completionTime);
  return progress === undefined ? planBeginning(snapshot) : planWork(snapshot, progress);
}

function planRemoval({ operation, now }: Snapshot, completionTime: string): Plan {
  const { ttlSecondsAfterFinished: ttl } = operation.spec;
  if (ttl === undefined) return { actions: [] };
  const left = Date.parse(completionTime) + ttl * 1000 - now;
  if (left > 0) return { actions: [], again: left };
  return { actions: [{ kind: 'Remove', reason: `It ended ${ttl} s ago, as ttlSecondsAfterFinished says.` }] };
}

function planBeginning(snapshot: Snapshot): Plan {
  const { cancel, suspend } = snapshot.operation.spec;
  if (cancel)
    return {
      actions: [
        {
          kind: 'Finish',
          phase: 'Cancelled',
          code: 'Cancelled',
          reason: 'Cancelled before it had begun: nothing was done.',
        },
      ],
    };
  if (suspend) return { actions: [suspended] };
  return { actions: isOnHold(snapshot.hold) ? [onHold] : planTargets(snapshot) };
}

const suspended = {
  kind: 'Hold',
  code: 'Suspended',
  reason: 'Suspended: it begins when spec.suspend is false.',
} as const;

/** Which VMs there are is not known yet, and those that are seen may be older than their guests. */
const onHold = {
  kind: 'Hold',
  code: 'SiteOnHold',
  reason: `It begins when the hold of the site is over. ${HOLD_ADVICE}`,
} as const;

function planWork(snapshot: Snapshot, progress: Progress): Plan {
  const { operation, now } = snapshot;
  const followed = [...progress.active].flatMap(([name, begunAt]) => planFollowUp(snapshot, name, begunAt) ?? []);
  const over = new Set(followed.map(({ result }) => result.name));
  const left = Date.parse(progress.startTime) + operation.spec.deadlineSeconds * 1000 - now;
  if (operation.spec.cancel || left <= 0) {
    const withdrawn = withdrawals(snapshot, progress);
    if (withdrawn.length > 0) return { actions: [...followed, ...withdrawn], again: 0 };
    return {
      actions: [...followed, ...abandoned(snapshot, progress, over, operation.spec.cancel ? cancelled : tooLate)],
    };
  }
  const waits = operation.spec.suspend || isOnHold(snapshot.hold);
  const next = waits ? [] : snapshot.next.map((name) => planBegin(snapshot, name));
  // What is settled leaves room for others, which were not looked at yet.
  const more = [...followed, ...next].some(({ kind }) => kind === 'Settle') && !waits;
  return { actions: [...followed, ...next], again: more ? 0 : left };
}

/** What was asked of guests and not begun must not be done after the operation has said that it was not. */
function withdrawals({ operation, machines }: Snapshot, progress: Progress): Action[] {
  return [...progress.active.keys()].flatMap((name) => {
    const vm = machines.get(name);
    if (vm === undefined || !isWithdrawable(operation.metadata.uid, vm)) return [];
    return [{ kind: 'Withdraw', vm, reason: 'The operation ends before it was done.' } as const];
  });
}

/** What is told of a target that is not seen to its end. */
interface Abandoning {
  readonly outcome: Outcome;
  readonly reason: string;
  readonly begun: string;
  readonly notBegun: string;
}

const cancelled: Abandoning = {
  outcome: 'Cancelled',
  reason: 'Cancelled',
  begun: 'Cancelled while it was under way: what was declared stays declared.',
  notBegun: 'Cancelled before it was begun.',
};

const tooLate: Abandoning = {
  outcome: 'Failed',
  reason: 'DeadlineExceeded',
  begun: 'Not done when the deadline of the operation came; what was declared stays declared.',
  notBegun: 'Not begun when the deadline of the operation came.',
};

function abandoned(
  { machines, busy }: Snapshot,
  progress: Progress,
  over: ReadonlySet<string>,
  { outcome, reason, begun, notBegun }: Abandoning,
): Action[] {
  const result = (name: string, message: string): Action => {
    const told: OperationResult = { name, outcome, reason, message: message.slice(0, 1024) };
    return { kind: 'Settle', result: told };
  };
  const active = [...progress.active.keys()].filter((name) => !over.has(name));
  return [
    ...active.map((name) => result(name, [begun, ...stateInWords(machines.get(name))].join(' '))),
    ...waitingIn(progress).map((name) => {
      const other = busy.get(name);
      return result(name, other === undefined ? notBegun : `${notBegun} It waited for operation ${other}.`);
    }),
  ];
}

function stateInWords(
  vm: Snapshot['machines'] extends ReadonlyMap<string, infer VM> ? VM | undefined : never,
): string[] {
  const ready = vm?.status?.conditions?.find(({ type }) => type === 'Ready');
  return ready === undefined ? [] : [`Of the VM: ${ready.message}`];
}
