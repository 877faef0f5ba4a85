// A guest that bears a VM's uuid and nothing else of ours: somebody made it, or took our marks from it. It is told of and
// left alone, whatever is asked.
import { epochIsOver } from '#crds/derive/epoch.ts';
import { mayBeThere } from '#crds/derive/hibernated.ts';
import { NOT_OURS } from '#crds/derive/verdict.ts';
import type { InstanceState } from '#crds/v1alpha1/virtual-machine-status.ts';
import type { Domain, DomainPowerState } from '../hypervisor/driver.ts';
import type { Mine, Plan } from './actions.ts';
import { HYPERVISOR_SILENT_RETRY_MS } from './pauses.ts';

/** What is told of it; never a step. Pure. */
export function planForeign(mine: Mine, domain: Domain): Plan {
  if (domain.powerState === 'Unknown') {
    const reason = 'The hypervisor does not know the state of a guest that is not ours.';
    return { kind: 'Nothing', reason, again: HYPERVISOR_SILENT_RETRY_MS };
  }
  const powerState = upAs[domain.powerState] ?? offAs(mine);
  if (powerState === undefined) return { kind: 'Nothing', reason: 'The guest is not ours, and off.' };
  return { kind: 'Report', report: { powerState, fault: { code: NOT_OURS, reason: leftAlone(mine, domain) } } };
}

/** What is told of a guest by what is seen of it, where it is up and that is known. */
export const upAs: Readonly<Partial<Record<DomainPowerState, InstanceState>>> = {
  Running: 'Running',
  Paused: 'Paused',
  Saving: 'Paused',
  ShuttingDown: 'Stopping',
};

/** Undefined where the end of the epoch has been told. */
function offAs({ vm, granted }: Mine): InstanceState | undefined {
  if (vm.metadata.deletionTimestamp !== undefined) return 'Absent';
  if (epochIsOver(vm.status)) return undefined;
  return mayBeThere(granted.powerState) ? 'Refused' : 'Stopped';
}

function leftAlone({ snapshot }: Mine, { name }: Domain): string {
  const what = `The guest ${name} on ${snapshot.self.name} has the uuid of this VM and no marks of Usher`;
  return `${what}: it is left alone. Remove it there yourself, for example with virsh undefine.`;
}
