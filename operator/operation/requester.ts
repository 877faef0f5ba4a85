// Who asked for an operation, as admission stamped it.
import { REQUESTER_ANNOTATION, REQUESTER_GROUPS_ANNOTATION } from '#crds/v1alpha1/names.ts';
import type { VirtualMachineOperation } from '#crds/v1alpha1/virtual-machine-operation.ts';

export interface Requester {
  /** Empty where nobody stamped it: then nothing is allowed. */
  readonly user: string;
  readonly groups: readonly string[];
}

export function requesterOf({ metadata }: VirtualMachineOperation): Requester {
  const groups = metadata.annotations?.[REQUESTER_GROUPS_ANNOTATION] ?? '';
  return {
    user: metadata.annotations?.[REQUESTER_ANNOTATION] ?? '',
    groups: groups.split('\n').filter((group) => group !== ''),
  };
}
