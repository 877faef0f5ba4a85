// What a VM asks of a hypervisor.
import { amountOf, larger } from '#crds/amount.ts';
import type { Granted } from '#crds/v1alpha1/virtual-machine-status.ts';
import type { Demand } from '#operator/placement/candidate.ts';
import { amountHeld } from '#operator/placement/ledger.ts';
import type { Snapshot } from './snapshot.ts';

/** What was granted, or what its guest has where that is more. */
export function demandOf({ vm, refusedBy }: Pick<Snapshot, 'vm' | 'refusedBy'>, granted: Granted): Demand {
  return {
    uid: vm.metadata.uid,
    amount: larger(amountOf(granted.resources), amountHeld(vm)),
    disks: vm.spec.disks ?? [],
    preferred: vm.spec.placement?.preferredHypervisors ?? [],
    selector: vm.spec.placement?.requiredHypervisorSelector,
    refusedBy,
  };
}
