// Whether a guest that ended is started again without being asked anew. Operator, daemon and the words shown to people
// must agree on it.
import type { VirtualMachineSpec } from '#crds/v1alpha1/virtual-machine-spec.ts';
import type { LastTermination } from '#crds/v1alpha1/virtual-machine-status.ts';

type RestartPolicy = VirtualMachineSpec['restartPolicy'];

/**
 * Of a guest that should run. Where it ended because it was asked to, it was asked to run after that. What somebody did
 * on the host, or nobody knows, is no failure of the guest.
 */
export function startsAgain(policy: RestartPolicy, ended: LastTermination['reason'] | undefined): boolean {
  switch (ended) {
    case 'StoppedByRequest':
    case 'ForcedByRequest':
      return true;
    case 'Crashed':
    case 'HostRebooted':
      return policy !== 'Never';
    case 'StoppedByGuest':
    case 'DestroyedOnHost':
    case 'MovedAway':
    case 'Vanished':
    case 'SavedImageGone':
    case 'Unknown':
    case undefined:
      return policy === 'Always';
  }
}
