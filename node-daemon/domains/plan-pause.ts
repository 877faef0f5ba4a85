// A guest that shall stand still, or go on: what is declared wins over what somebody does on the hypervisor, but that one
// which is declared to run is left paused by whoever paused it there.
import { wasDeclaredPaused } from '#crds/derive/declared-pause.ts';
import { currentInstance } from '#crds/derive/epoch.ts';
import type { Domain } from '../hypervisor/driver.ts';
import { act, type Mine, type Plan } from './actions.ts';
import { planAgain } from './plan-again.ts';

/** Declared Paused, of a guest that runs or is paused. Pure. */
export function planPaused(mine: Mine, { powerState }: Domain): Plan {
  const { snapshot } = mine;
  if (powerState === 'Paused') return { kind: 'Report', report: { powerState } };
  if (wasToldPaused(mine)) {
    const cause = `Somebody resumed the guest on ${snapshot.self.name}; spec.powerState is Paused, so it is paused again.`;
    return { kind: 'Report', report: { powerState: 'Running', cause }, again: 0 };
  }
  const failed = planAgain(snapshot, 'Pause', { powerState: 'Running' });
  return failed ?? act(snapshot, { kind: 'Pause', reason: 'spec.powerState is Paused.' });
}

/** Under the decision that holds: it was let go on since. */
function wasToldPaused({ vm, granted }: Mine): boolean {
  const told = currentInstance(vm.status);
  return told?.powerState === 'Paused' && told.decisionID === granted.decisionID;
}

/** Declared Running, of a guest that is paused. Pure. */
export function planResumed({ snapshot, vm }: Mine): Plan {
  if (!wasDeclaredPaused(vm.status ?? {})) return { kind: 'Report', report: { powerState: 'Paused' } };
  const failed = planAgain(snapshot, 'Resume', { powerState: 'Paused' });
  return failed ?? act(snapshot, { kind: 'Resume', reason: 'spec.powerState is Running.' });
}
