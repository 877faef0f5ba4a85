// Conditions as metav1.Condition defines them, as values: nothing here changes what it is given.
import type { Condition } from '#crds/v1alpha1/fragments.ts';

/** A condition to be told; when its status last changed follows from what was told before. */
export type ConditionInput = Omit<Condition, 'lastTransitionTime'>;

/** What is told; for which generation it was decided is told of several at once. */
export type Statement = Omit<ConditionInput, 'observedGeneration'>;

/** The condition of this type, if it was ever told. */
export function findCondition(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

/** False also where nobody has told it: see `isConditionFalse`. */
export function isConditionTrue(conditions: readonly Condition[] | undefined, type: string): boolean {
  return findCondition(conditions, type)?.status === 'True';
}

/** Whether it was told not to hold; what was never told, or is Unknown, is neither true nor false. */
export function isConditionFalse(conditions: readonly Condition[] | undefined, type: string): boolean {
  return findCondition(conditions, type)?.status === 'False';
}

/**
 * The conditions with this one in its place, or appended. lastTransitionTime moves only when the status does. The same
 * array comes back when nothing changed, so that callers can tell whether there is anything to write.
 */
export function setCondition(
  conditions: readonly Condition[] | undefined,
  input: ConditionInput,
  time: string,
): readonly Condition[] {
  const all = conditions ?? [];
  const previous = findCondition(all, input.type);
  if (previous === undefined) return [...all, { ...input, lastTransitionTime: time }];
  const lastTransitionTime = previous.status === input.status ? previous.lastTransitionTime : time;
  if (sameCondition(previous, input)) return all;
  return all.map((condition) => (condition === previous ? { ...input, lastTransitionTime } : condition));
}

/** The conditions with each of these in its place, as `setCondition` puts it there. */
export function setConditions(
  conditions: readonly Condition[] | undefined,
  statements: readonly Statement[],
  { observedGeneration, time }: { observedGeneration: number; time: string },
): readonly Condition[] {
  return statements.reduce<readonly Condition[]>(
    (all, statement) => setCondition(all, { ...statement, observedGeneration }, time),
    conditions ?? [],
  );
}

/** The conditions without those of this type. */
export function removeCondition(conditions: readonly Condition[] | undefined, type: string): readonly Condition[] {
  const all = conditions ?? [];
  return findCondition(all, type) === undefined ? all : all.filter((condition) => condition.type !== type);
}

function sameCondition(previous: Condition, input: ConditionInput): boolean {
  return (
    previous.status === input.status &&
    previous.reason === input.reason &&
    previous.message === input.message &&
    previous.observedGeneration === input.observedGeneration
  );
}
