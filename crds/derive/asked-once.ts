// What an operation asks of a guest that is done at most once.
import type { CurrentOperation, GrantedOperation, VirtualMachineStatus } from '../v1alpha1/virtual-machine-status.ts';

export type Once = GrantedOperation & { readonly type: CurrentOperation['type'] };

/** What is asked under the current permission and not told as over; undefined where nothing is. */
export function askedOnce(status: VirtualMachineStatus | undefined): Once | undefined {
  const { granted, placement, currentOperation } = status ?? {};
  const operation = granted?.operation;
  if (operation === undefined || operation.epoch !== placement?.epoch || !isOnce(operation)) return undefined;
  const over = currentOperation?.uid === operation.uid && currentOperation.state !== 'Executing';
  return over ? undefined : operation;
}

function isOnce(operation: GrantedOperation): operation is Once {
  return operation.type === 'Reboot' || operation.type === 'Cycle';
}
