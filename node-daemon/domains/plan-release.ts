// A guest that is let go: it goes on as it is, without our marks, and nobody manages it any more.
import { outlivesDeletion } from '#crds/derive/deletion.ts';
import { currentInstance } from '#crds/derive/epoch.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { InstanceState } from '#crds/v1alpha1/virtual-machine-status.ts';
import { type Domain, isUp } from '../hypervisor/driver.ts';
import { act, type Mine, type Plan } from './actions.ts';
import { planAgain } from './plan-again.ts';
import { upAs } from './plan-foreign.ts';

/** Whether its VM is being deleted, and its guest is to outlive that. */
export function isToBeReleased(vm: VirtualMachine): boolean {
  return vm.metadata.deletionTimestamp !== undefined && outlivesDeletion(vm);
}

/** Nothing that could end it. Once it bears no marks it is another's, whose state is told nobody. Pure. */
export function planRelease(mine: Mine, domain: Domain | undefined): Plan {
  // Its image bears our marks, and cannot be changed: it is kept with them, and is told of as orphaned.
  if (domain?.metadata === undefined || domain.hasImage === true)
    return { kind: 'Report', report: { powerState: 'Absent' } };
  const failed = planAgain(mine.snapshot, 'Release', { powerState: seen(mine, domain) });
  return failed ?? act(mine.snapshot, { kind: 'Release', reason: 'The VirtualMachine is being deleted: Release.' });
}

function seen({ vm }: Mine, domain: Domain): InstanceState {
  if (!isUp(domain)) return 'Stopped';
  return upAs[domain.powerState] ?? currentInstance(vm.status)?.powerState ?? 'Starting';
}
