// What its requester must be allowed to do for an operation to do it: it acts with their rights, and with no others.
import type { OperationType } from '#crds/v1alpha1/operation-spec.ts';

/** A verb on virtualmachines. */
export type Verb = 'patch' | 'create' | 'delete' | 'release';

export interface RightsVerdict {
  readonly allowed: boolean;
  /** In the words of whoever decided; may be empty. */
  readonly reason: string;
}

/** The answers that were asked for; asking for another is a fault in the program. */
export interface Rights {
  to(verb: Verb, name: string): RightsVerdict;
  /** To suggest these hypervisors: the first that may not be suggested, and why. */
  readonly hintDenied: string | undefined;
  /** To adopt guests from this hypervisor: why not. */
  adoptDenied(hypervisor: string): string | undefined;
}

/** To undo a VM takes as much as to delete it by hand. */
export function verbFor(type: OperationType, exists: boolean): Verb {
  if (type === 'Destroy') return 'delete';
  if (type === 'Release') return 'release';
  if (type === 'Adopt') return 'create';
  return exists || type !== 'Start' ? 'patch' : 'create';
}

export function deniedInWords(who: string, verb: Verb, namespace: string, reason: string): string {
  const why = reason === '' ? '' : ` (${reason})`;
  return `${who} may not ${verb} virtualmachines here${why}: whoever administers ${namespace} can bind the role usher-edit or one with this verb.`;
}
