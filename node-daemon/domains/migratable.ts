// Whether a guest could move to another hypervisor while it runs, as far as its own node can tell.
import type { Statement } from '#crds/conditions.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { Snapshot } from './snapshot.ts';

/** The condition Migratable of a guest that runs here. */
export function migratable({ vm, snapshot }: { vm: VirtualMachine; snapshot: Snapshot }): Statement {
  const { name, sharedPools } = snapshot.self;
  if (sharedPools === undefined)
    return cannot('NotOffered', `Guests cannot move from ${name}: its daemon was given no --migration-address.`);
  const local = (vm.spec.disks ?? []).find(({ pool }) => !sharedPools.includes(pool));
  if (local === undefined) {
    const message = 'It can move to another hypervisor while it runs.';
    return { type: 'Migratable', status: 'True', reason: 'Migratable', message };
  }
  const where = `Disk ${local.name} lies in the storage pool ${local.pool} of ${name}`;
  return cannot('LocalDisk', `${where}, which is not among those that hypervisors share (--shared-pools).`);
}

function cannot(reason: string, message: string): Statement {
  return { type: 'Migratable', status: 'False', reason, message };
}
