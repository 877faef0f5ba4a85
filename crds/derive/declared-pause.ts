// A guest that stands still though it shall run: whose doing that was. What Usher paused ends when it is declared to run;
// what somebody paused on the hypervisor is left alone.
import { findCondition } from '#crds/conditions.ts';
import type { Decision, VirtualMachineStatus } from '#crds/v1alpha1/virtual-machine-status.ts';
import { currentInstance } from './epoch.ts';

/** Code of a fault: it shall go on, and the hypervisor could not let it. */
export const RESUME_FAILED = 'ResumeFailed';

/**
 * Whether it was decided under this permission that the guest stands still, and nothing was reported of a later
 * decision, but that it could not be resumed.
 */
export function wasDeclaredPaused(status: VirtualMachineStatus): boolean {
  const reported = currentInstance(status);
  const provisioned = findCondition(status.conditions, 'Provisioned');
  if (reported?.powerState === 'Paused' && provisioned?.reason === RESUME_FAILED) return true;
  const decision = status.decisions?.find(isPause);
  if (decision?.generation === undefined || status.placement === undefined) return false;
  return reported === undefined ? decision.time >= status.placement.time : decision.generation >= reported.generation;
}

function isPause({ event, verdict }: Decision): boolean {
  return event === 'vm.pause.request' && (verdict === 'Allow' || verdict === 'Modify');
}
