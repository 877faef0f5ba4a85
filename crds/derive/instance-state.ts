// What an observed state says of the guest's process, and of the permission to start it.
import type { InstanceState } from '#crds/v1alpha1/virtual-machine-status.ts';

/** The guest has a process. */
export function isUpState(state: InstanceState | undefined): state is 'Running' | 'Paused' | 'Stopping' {
  return state === 'Running' || state === 'Paused' || state === 'Stopping';
}

/** The permission was given back: the guest is not up, and will not be started under this epoch any more. */
export function isTerminalState(state: InstanceState | undefined): state is 'Stopped' | 'Refused' | 'Absent' {
  return state === 'Stopped' || state === 'Refused' || state === 'Absent';
}
