// A guest that an operation has move to another hypervisor: what came of it, as the VM says.
import { verdictOn } from '#crds/derive/migration.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import { isPast } from './asked.ts';
import type { Snapshot } from './snapshot.ts';
import { notUpThere, supplanted, type Told } from './told.ts';

/** Pure. Undefined while it waits to move, or is on its way. */
export function planMoved({ operation }: Snapshot, vm: VirtualMachine): Told | undefined {
  const { uid } = operation.metadata;
  const { granted, migration } = vm.status ?? {};
  if (migration?.plan?.operationUID === uid) return arrival(vm);
  if (granted?.operation?.uid !== uid) return operation.spec.cancel ? undefined : supplanted;
  const { refused } = granted.operation;
  if (refused !== undefined) return { outcome: 'Failed', reason: 'CannotMove', message: refused };
  return isPast(vm) ? notUpThere(vm) : undefined;
}

function arrival({ status }: VirtualMachine): Told | undefined {
  const verdict = verdictOn(status);
  if (verdict === undefined) return undefined;
  const { result, reason: message } = verdict;
  return { outcome: result === 'Completed' ? 'Succeeded' : 'Failed', reason: result, message };
}
