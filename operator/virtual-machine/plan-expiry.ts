// The end of a VM's time: told an hour before, and then granted no more. By the wall clock, as whoever set it meant it.
import { findCondition } from '#crds/conditions.ts';
import { EXPIRED } from '#crds/derive/verdict.ts';
import type { Action, Plan } from './actions.ts';
import type { Snapshot } from './snapshot.ts';

/** So long before its time is over a VM is warned of. */
const WARNING_MS = 3_600_000;
/** However far its end is, it is looked at this often: wall clocks are set. */
const LONGEST_MS = 3_600_000;

/** Milliseconds until it may not run any more, below zero once it may not; undefined where there is no end. */
function timeLeft({ vm, wallTime }: Pick<Snapshot, 'vm' | 'wallTime'>): number | undefined {
  const { expirationTime } = vm.spec;
  const end = expirationTime === undefined ? Number.NaN : Date.parse(expirationTime);
  return Number.isNaN(end) ? undefined : end - wallTime;
}

/** Whether its time is over. */
export function isExpired(snapshot: Pick<Snapshot, 'vm' | 'wallTime'>): boolean {
  return (timeLeft(snapshot) ?? 1) <= 0;
}

/** Why what is declared is not granted any more, and what to do. */
export function expiredInWords({ spec }: Snapshot['vm']): string {
  return (
    `Its time was over at ${spec.expirationTime} (spec.expirationTime): it may not run any more. ` +
    'To run it, set a later spec.expirationTime or remove it. If it is not needed any more, delete it.'
  );
}

/** What is told of the end of its time, and when to look again. Pure. */
export function planExpiry(snapshot: Snapshot): Plan {
  const left = timeLeft(snapshot);
  const told = findCondition(snapshot.vm.status?.conditions, EXPIRED);
  const next = statementOf(snapshot, left);
  const known = told?.status === next?.status && told?.message === next?.reason;
  return { actions: known ? [] : [markOf(next)], ...againAfter(left) };
}

type Statement = NonNullable<Extract<Action, { kind: 'MarkExpiry' }>['expired']>;

function statementOf({ vm }: Snapshot, left: number | undefined): Statement | undefined {
  if (left === undefined || left > WARNING_MS) return undefined;
  if (left <= 0) return { status: 'True', code: EXPIRED, reason: expiredInWords(vm) };
  const reason =
    `Its time is over at ${vm.spec.expirationTime} (spec.expirationTime): then its guest is stopped as spec.powerOff ` +
    'says. To let it run on, set a later spec.expirationTime or remove it.';
  return { status: 'False', code: 'ExpiresSoon', reason };
}

function markOf(expired: Statement | undefined): Action {
  if (expired === undefined) return { kind: 'MarkExpiry', reason: 'Its time is not over soon any more.' };
  return { kind: 'MarkExpiry', expired, reason: expired.reason };
}

function againAfter(left: number | undefined): Pick<Plan, 'again'> {
  if (left === undefined || left <= 0) return {};
  const untilNext = left > WARNING_MS ? left - WARNING_MS : left;
  return { again: Math.min(untilNext, LONGEST_MS) };
}
