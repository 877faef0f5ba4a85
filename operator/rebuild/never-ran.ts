// Whether a VM can be given a guest that is older than itself.
import { currentInstance } from '#crds/derive/epoch.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';

/** No guest was ever started for it: it was given to no hypervisor, or the one that had it gave it back. */
export function neverRan({ metadata, status }: VirtualMachine): boolean {
  if (metadata.deletionTimestamp !== undefined || status?.lastTermination !== undefined) return false;
  return status?.placement === undefined || currentInstance(status)?.powerState === 'Refused';
}
