// What an operation asks of a guest beyond its power state: it stands in what is granted to the VM.
import type { OperationType } from '#crds/v1alpha1/operation-spec.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { VirtualMachineOperation } from '#crds/v1alpha1/virtual-machine-operation.ts';
import type { GrantedOperation } from '#crds/v1alpha1/virtual-machine-status.ts';

/** Undefined where no hypervisor ever held it. */
export function askedOf(
  { metadata, spec }: VirtualMachineOperation,
  { status }: VirtualMachine,
): GrantedOperation | undefined {
  const { type } = spec;
  const { placement, granted } = status ?? {};
  if (!isAsking(type) || placement === undefined || granted === undefined) return undefined;
  return { uid: metadata.uid, name: metadata.name, type, epoch: placement.epoch };
}

/** The others only declare a power state. */
function isAsking(type: OperationType): type is GrantedOperation['type'] {
  return type !== 'Shutdown' && type !== 'Pause' && type !== 'Resume';
}

/** Whether it was asked already, before a crash. */
export function isAsked({ metadata }: VirtualMachineOperation, { status }: VirtualMachine): boolean {
  return status?.granted?.operation?.uid === metadata.uid || status?.currentOperation?.uid === metadata.uid;
}

/** Whether it was asked, and the operator has not answered it with another permission yet. */
export function isAwaited({ metadata }: VirtualMachineOperation, { status }: VirtualMachine): boolean {
  const { granted, placement } = status ?? {};
  return granted?.operation?.uid === metadata.uid && granted.operation.epoch === placement?.epoch;
}
