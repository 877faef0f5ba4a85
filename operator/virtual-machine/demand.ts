// What a VM asks of a hypervisor.
import { amountOf, larger } from '#crds/amount.ts';
import { currentInstance, epochIsOver } from '#crds/derive/epoch.ts';
import { isUnlimited, limitsOf } from '#crds/resources.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { Resources } from '#crds/v1alpha1/virtual-machine-spec.ts';
import type { Granted } from '#crds/v1alpha1/virtual-machine-status.ts';
import type { Demand } from '#operator/placement/candidate.ts';
import { amountHeld } from '#operator/placement/ledger.ts';
import type { Snapshot } from './snapshot.ts';

/** What was granted, or what its guest has where that is more. */
export function demandOf({ vm, refusedBy }: Pick<Snapshot, 'vm' | 'refusedBy'>, granted: Granted): Demand {
  return {
    uid: vm.metadata.uid,
    amount: larger(amountOf(granted.resources), amountHeld(vm)),
    guaranteesCpu: [granted.resources, ...resourcesHeld(vm)].some((resources) => !isUnlimited(limitsOf(resources))),
    disks: vm.spec.disks ?? [],
    preferred: vm.spec.placement?.preferredHypervisors ?? [],
    selector: vm.spec.placement?.requiredHypervisorSelector,
    refusedBy,
  };
}

/** A guest that moves takes along how CPU time is shared out for it, also where that is about to change. */
function resourcesHeld({ status }: VirtualMachine): Resources[] {
  const held = epochIsOver(status) ? undefined : currentInstance(status)?.resources;
  return held === undefined ? [] : [held];
}
