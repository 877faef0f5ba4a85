// The operator's part of a VM's migration, as it is written.
import { limits } from '#crds/v1alpha1/limits.ts';
import type { Migration } from '#crds/v1alpha1/migration-status.ts';
import type { Action } from '#operator/virtual-machine/actions.ts';

type OfMigration = Extract<Action, { kind: 'StartMigration' | 'AbortMigration' | 'EndMigration' | 'Arrive' }>;

/** `time` is RFC 3339. What the two sides have told of an earlier attempt is theirs, and stays. */
export function migrationAfter(before: Migration | undefined, action: OfMigration, time: string): Migration {
  const reason = action.reason.slice(0, limits.sentence);
  if (action.kind === 'StartMigration') return { ...before, plan: { ...action.plan, reason, time } };
  const { plan } = before ?? {};
  if (plan === undefined) throw new TypeError(`${action.kind} was planned for a VM that does not move`);
  if (action.kind === 'AbortMigration') return { ...before, plan: { ...plan, step: 'Abort', reason } };
  const result = action.kind === 'Arrive' ? 'Completed' : action.result;
  return { ...before, verdict: { attempt: plan.attempt, result, reason, time } };
}
