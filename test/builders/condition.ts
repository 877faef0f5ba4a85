import type { Condition } from '#crds/v1alpha1/fragments.ts';
import { TIME } from './time.ts';

/** A condition with a reason and a message that can be told from all others. */
export function condition(type: string, status: Condition['status'], changes: Partial<Condition> = {}): Condition {
  return {
    type,
    status,
    reason: `${type}Reason`,
    message: `${type} is ${status}.`,
    lastTransitionTime: TIME,
    ...changes,
  };
}
