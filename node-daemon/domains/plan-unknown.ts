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
  const { memory, now } = mine.snapshot;
  const unknownFor = now - (memory.unknownSince ?? now);
  const again = HYPERVISOR_SILENT_RETRY_MS;
  if (unknownFor < UNKNOWN_TOLD_MS)
    return { kind: 'Nothing', reason: 'The hypervisor does not know its state.', again };
  const fault = { code: STATE_UNKNOWN, reason: unknownInWords(mine.snapshot, domain) };
  return { kind: 'Report', report: { powerState: seenLast(mine), fault }, again };
}

function seenLast({ vm }: Mine): InstanceState {
  const told = currentInstance(vm.status)?.powerState;
  return isUpState(told) ? told : 'Starting';
}

/** What a person can do about it. */
export function unknownInWords({ self }: Snapshot, { name }: Domain): string {
  const what = `The hypervisor of ${self.name} has not known for a minute or more whether the guest runs`;
  return (
    `${what}: see there what virsh domstate --reason ${name} says. Where libvirtd was killed while it started the ` +
    `guest, stop libvirtd, remove /run/libvirt/qemu/${name}.xml and start it again; the guest is then started anew.`
  );
}
