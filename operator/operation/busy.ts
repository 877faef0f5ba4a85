// Operations on one VM come one after the other: the older goes first, and the younger says what it waits for.
import type { VirtualMachineOperation } from '#crds/v1alpha1/virtual-machine-operation.ts';
import { isSettled, type Progress } from './progress.ts';

export interface OtherOperation {
  readonly operation: VirtualMachineOperation;
  /** Undefined until its targets have been found. */
  readonly progress: Progress | undefined;
}

/** Target → the name of an operation that goes first. Pure. `others` are of the same namespace. */
export function busyTargets(
  operation: VirtualMachineOperation,
  targets: readonly string[],
  others: readonly OtherOperation[],
): Map<string, string> {
  const live = others.filter(({ operation: other }) => other.status?.completionTime === undefined);
  const busy = new Map<string, string>();
  for (const name of targets) {
    const first = live.find((other) => goesFirst(other, operation, name));
    if (first !== undefined) busy.set(name, first.operation.metadata.name);
  }
  return busy;
}

/** What another is at goes first, whatever its age; what it has not begun does if it is older. */
function goesFirst({ operation, progress }: OtherOperation, than: VirtualMachineOperation, name: string): boolean {
  if (progress?.active.has(name) === true) return true;
  if (operation.spec.suspend || operation.metadata.deletionTimestamp !== undefined || !isOlder(operation, than))
    return false;
  return progress === undefined || (progress.targetSet.has(name) && !isSettled(progress, name));
}

/** Times are whole seconds: between two of one second the uid decides, which is the same for everybody. */
function isOlder({ metadata: one }: VirtualMachineOperation, { metadata: other }: VirtualMachineOperation): boolean {
  const [first, second] = [one.creationTimestamp ?? '', other.creationTimestamp ?? ''];
  return first === second ? one.uid < other.uid : first < second;
}
