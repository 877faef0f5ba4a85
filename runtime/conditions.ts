// metav1.Condition and the rules of changing a list of them. Time comes in as a value.
import { timestampOf } from './clock.ts';

export interface Condition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  observedGeneration?: number;
  lastTransitionTime: string;
  reason: string;
  message: string;
}

/** What is to be stated; the time of the transition follows from what was stated before. */
export type ConditionStatement = Omit<Condition, 'lastTransitionTime'>;

/**
 * The list with this one condition stated, in the place it had, or last when it is new. lastTransitionTime becomes
 * `now` (milliseconds since 1970) only where `status` changes. Gives back the very same array when nothing changes.
 */
export function setCondition(conditions: Condition[], statement: ConditionStatement, now: number): Condition[] {
  const before = findCondition(conditions, statement.type);
  if (before !== undefined && sameStatement(before, statement)) {
    return conditions;
  }
  const lastTransitionTime = before?.status === statement.status ? before.lastTransitionTime : timestampOf(now);
  const after = { ...statement, lastTransitionTime };
  return before === undefined
    ? [...conditions, after]
    : conditions.map((condition) => (condition === before ? after : condition));
}

/** The list without conditions of this type; the very same array when there are none. */
export function removeCondition(conditions: Condition[], type: string): Condition[] {
  return findCondition(conditions, type) === undefined
    ? conditions
    : conditions.filter((condition) => condition.type !== type);
}

export function findCondition(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

/** Stated, and stated as true. */
export function isTrue(conditions: readonly Condition[] | undefined, type: string): boolean {
  return findCondition(conditions, type)?.status === 'True';
}

function sameStatement(a: ConditionStatement, b: ConditionStatement): boolean {
  return (
    a.status === b.status &&
    a.reason === b.reason &&
    a.message === b.message &&
    a.observedGeneration === b.observedGeneration
  );
}
