// An epoch is one permission to start, held by one node. These are the only questions anybody may ask of it.
import type { Instance, VirtualMachineStatus } from '#crds/v1alpha1/virtual-machine-status.ts';
import { isTerminalState } from './instance-state.ts';

/** The daemon's report on the current permission; reports on earlier ones say nothing any more. */
export function currentInstance(status: VirtualMachineStatus | undefined): Instance | undefined {
  const { placement, instance } = status ?? {};
  if (placement === undefined || instance === undefined) return undefined;
  return instance.epoch === placement.epoch ? instance : undefined;
}

/** Whether the node that holds the permission has given it back, or cannot use it any more: only then may another be written. */
export function epochIsOver(status: VirtualMachineStatus | undefined): boolean {
  if (status?.placement === undefined || status.placement.abandoned === true) return true;
  return isTerminalState(currentInstance(status)?.powerState);
}
