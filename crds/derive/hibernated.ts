// Guests whose memory lies on the disk of their hypervisor: what is known of them while nobody can look.
import type { VirtualMachineSpec } from '#crds/v1alpha1/virtual-machine-spec.ts';
import type { Decision, VirtualMachineStatus } from '#crds/v1alpha1/virtual-machine-status.ts';
import { currentInstance } from './epoch.ts';

type PowerState = VirtualMachineSpec['powerState'];

/** Code of a fault: its memory is kept, and the hypervisor could not let it go on from there. */
export const RESTORE_FAILED = 'RestoreFailed';
/** Condition: it shall run again, and cannot be restored yet. */
export const RESTORE_PENDING = 'RestorePending';

/**
 * Whether no process of the guest can be there by our doing: it was reported hibernated, and not been allowed to be there
 * since, nor by the decision under which that was reported. That stays true until it is allowed, however long its
 * hypervisor is silent.
 */
export function isSurelyHibernated(status: VirtualMachineStatus | undefined): boolean {
  const reported = currentInstance(status);
  const granted = status?.granted;
  if (reported?.powerState !== 'Hibernated' || granted === undefined || mayBeThere(granted.powerState)) return false;
  return (status?.placement?.runnableGeneration ?? Number.POSITIVE_INFINITY) < reported.generation;
}

/** Whether this power state is one in which a guest has a process. */
export function mayBeThere(powerState: PowerState | undefined): boolean {
  return powerState === 'Running' || powerState === 'Paused';
}

/**
 * Of a guest that is off and has an image under its permission: whether that was declared, and may be undone by declaring
 * otherwise. What somebody saved on the hypervisor is left alone.
 */
export function wasDeclaredHibernated(status: VirtualMachineStatus): boolean {
  const reported = currentInstance(status);
  if (reported?.powerState === 'Hibernated') return true;
  const decision = status.decisions?.find(
    ({ event, verdict }) => event === 'vm.hibernate.request' && isAllowed(verdict),
  );
  if (decision?.generation === undefined || status.placement === undefined) return false;
  return reported === undefined ? decision.time >= status.placement.time : decision.generation >= reported.generation;
}

function isAllowed(verdict: Decision['verdict']): boolean {
  return verdict === 'Allow' || verdict === 'Modify';
}
