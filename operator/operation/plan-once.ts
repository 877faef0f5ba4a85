// What is done to a guest once, by its daemon: what came of it, as the VM says.

import { findCondition } from '#crds/conditions.ts';
import type { Outcome } from '#crds/v1alpha1/operation-status.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { CurrentOperation } from '#crds/v1alpha1/virtual-machine-status.ts';
import { isPast } from './asked.ts';
import type { Snapshot } from './snapshot.ts';
import { notUpThere, supplanted, type Told } from './told.ts';

const outcomes = { Done: 'Succeeded', Failed: 'Failed', Unknown: 'Unknown' } as const satisfies Partial<
  Record<CurrentOperation['state'], Outcome>
>;

/** Pure. Undefined while it is still to be done, or being done. */
export function planOnceOver({ operation }: Snapshot, vm: VirtualMachine): Told | undefined {
  const { currentOperation } = vm.status ?? {};
  if (currentOperation?.uid === operation.metadata.uid) return told(currentOperation, vm);
  if (isWithdrawable(operation.metadata.uid, vm)) return isPast(vm) ? notUpThere(vm) : undefined;
  // Withdrawn by us, which is told where it is decided; or something else was asked since, and then nobody knows.
  if (operation.spec.cancel || vm.status?.granted?.operation === undefined) return undefined;
  return supplanted;
}

/** Whether it was asked, and its daemon has not told that it is about to do it. */
export function isWithdrawable(uid: string, { status }: VirtualMachine): boolean {
  return status?.granted?.operation?.uid === uid && status.currentOperation?.uid !== uid;
}

function told({ state, message }: CurrentOperation, vm: VirtualMachine): Told | undefined {
  if (state !== 'Executing') return { outcome: outcomes[state], reason: state, message };
  if (!isPast(vm)) return undefined;
  const why = findCondition(vm.status?.conditions, 'Ready')?.message ?? '';
  return {
    outcome: 'Unknown',
    reason: 'Unknown',
    message: `The guest ended before it was told what came of it. ${why}`.trim(),
  };
}
