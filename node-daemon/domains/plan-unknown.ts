// A guest whose state the hypervisor itself does not know: it is being started, or something is wrong with it there.
import { currentInstance } from '#crds/derive/epoch.ts';
import { isUpState } from '#crds/derive/instance-state.ts';
import { STATE_UNKNOWN } from '#crds/derive/verdict.ts';
import type { InstanceState } from '#crds/v1alpha1/virtual-machine-status.ts';
import type { Domain } from '../hypervisor/driver.ts';
import type { Mine, Plan } from './actions.ts';
import { HYPERVISOR_SILENT_RETRY_MS, UNKNOWN_TOLD_MS } from './pauses.ts';
import type { Snapshot } from './snapshot.ts';

/** Nothing is concluded from it; once it has lasted, it is told, with what was seen last. Pure. */
export function planUnknown(mine: Mine, domain: Domain): Plan {
  const again = HYPERVISOR_SILENT_RETRY_MS;
  if (!isLongUnknown(mine.snapshot, domain))
    return { kind: 'Nothing', reason: 'The hypervisor does not know its state.', again };
  const reason = `${unknownInWords(mine.snapshot, domain)} The guest is then started anew.`;
  return { kind: 'Report', report: { powerState: seenLast(mine), fault: { code: STATE_UNKNOWN, reason } }, again };
}

function seenLast({ vm }: Mine): InstanceState {
  const told = currentInstance(vm.status)?.powerState;
  return isUpState(told) ? told : 'Starting';
}

/** Whether it has lasted for so long that the guest is not just being started. */
export function isLongUnknown({ memory, now }: Snapshot, { powerState }: Domain): boolean {
  return powerState === 'Unknown' && now - (memory.unknownSince ?? now) >= UNKNOWN_TOLD_MS;
}

/** What a person can do about it, once it has lasted. */
export function unknownInWords({ self }: Snapshot, { name }: Domain): string {
  const what = `The hypervisor of ${self.name} has not known for a minute or more whether the guest runs`;
  return (
    `${what}: see there what virsh domstate --reason ${name} says. Where libvirtd was killed while it started the ` +
    `guest, stop libvirtd, remove /run/libvirt/qemu/${name}.xml and start libvirtd again.`
  );
}
