// What an operation asks of a guest beyond its power state: it stands in what is granted to the VM.
import { epochIsOver } from '#crds/derive/epoch.ts';
import type { OperationType } from '#crds/v1alpha1/operation-spec.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { VirtualMachineOperation } from '#crds/v1alpha1/virtual-machine-operation.ts';
import { type GrantedOperation, guestOperations } from '#crds/v1alpha1/virtual-machine-status.ts';

/** Undefined where no hypervisor ever held it. A guest that is to move goes to one of `hypervisors`, or to any. */
export function askedOf(
  { metadata, spec }: VirtualMachineOperation,
  { status }: VirtualMachine,
  hypervisors: readonly string[] = [],
): GrantedOperation | undefined {
  const { type } = spec;
  const { placement, granted } = status ?? {};
  if (!isAsking(type) || placement === undefined || granted === undefined) return undefined;
  const asked = { uid: metadata.uid, name: metadata.name, type, epoch: placement.epoch };
  return hypervisors.length === 0 ? asked : { ...asked, hypervisors: [...hypervisors] };
}

const asking: ReadonlySet<OperationType> = new Set(guestOperations);

/** The others only declare a power state. */
function isAsking(type: OperationType): type is GrantedOperation['type'] {
  return asking.has(type);
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

/** The permission under which it was asked is over: its daemon will not do it any more. */
export function isPast({ status }: VirtualMachine): boolean {
  const { placement, granted } = status ?? {};
  return epochIsOver(status) || granted?.operation?.epoch !== placement?.epoch;
}
