// What waits for room: when it is looked at again, and whether it was said already why it waits.
import { findCondition } from '#crds/conditions.ts';
import type { Condition } from '#crds/v1alpha1/fragments.ts';
import type { Plan } from './actions.ts';
import type { Snapshot } from './snapshot.ts';

/** What waits for room is looked at again when room appears, and this often in case that was missed. */
export const NO_ROOM_RETRY_MS = 30_000;
/** Why it waits is told again no sooner than this where nothing but numbers have changed. */
const RETELL_MS = 300_000;

/** Another fault and another spec are told at once. How much room there is where changes all the time: only now and then. */
export function isTold(
  { vm, toldAgo }: Snapshot,
  { type, status }: Pick<Condition, 'type' | 'status'>,
  { code, reason }: { readonly code: string; readonly reason: string },
): boolean {
  const known = findCondition(vm.status?.conditions, type);
  if (known?.status !== status || known.reason !== code) return false;
  if (known.observedGeneration !== vm.metadata.generation) return false;
  return known.message === reason || (toldAgo !== undefined && toldAgo < RETELL_MS);
}

/** It is placed nowhere for this reason, which is told once. */
export function waitFor(snapshot: Snapshot, code: string, reason: string): Plan {
  const action = { kind: 'CannotPlace', code, reason } as const;
  const told = isTold(snapshot, { type: 'Placed', status: 'False' }, action);
  return { actions: told ? [] : [action], again: NO_ROOM_RETRY_MS };
}
