// What the hold of the site leaves of a plan. Nothing is placed while it lasts; and a daemon that does not know whether
// the control plane is the one it has served does nothing to any guest on its word.
import { currentInstance } from '#crds/derive/epoch.ts';
import type { Plan, Step } from './actions.ts';
import { HOLD_RETRY_MS } from './pauses.ts';
import { machineIn, presentDomain, type Snapshot } from './snapshot.ts';

/** Code of the fault of a permission that is given back. */
const ON_HOLD = 'SiteOnHold';

/** The plan itself where nothing is to be held back. Pure. */
export function withinHold(snapshot: Snapshot, plan: Plan): Plan {
  if (plan.kind !== 'Act' || !isHeldBack(snapshot, plan.step)) return plan;
  const reason =
    'Nothing is done to guests before the hold of the site is over: kubectl get configmap usher-site --namespace ' +
    'usher-system --output yaml says what it waits for.';
  if (snapshot.hold === 'Doubt' && plan.step.kind === 'Start' && wasNeverHere(snapshot)) {
    return { kind: 'Report', report: { powerState: 'Refused', fault: { code: ON_HOLD, reason } } };
  }
  return { kind: 'Nothing', reason, again: HOLD_RETRY_MS };
}

/** To note whose a guest is does nothing to it. Of a guest that ended here the daemon knows more than anybody. */
function isHeldBack(snapshot: Snapshot, { kind }: Step): boolean {
  if (snapshot.hold === 'None' || kind === 'Confirm') return false;
  if (snapshot.hold === 'Doubt' || kind === 'Migrate' || kind === 'Adopt') return true;
  return kind === 'Start' && currentInstance(machineIn(snapshot)?.status) === undefined;
}

/** The permission is given back, so that the guest can be taken where it really is. */
function wasNeverHere(snapshot: Snapshot): boolean {
  return presentDomain(snapshot) === undefined && currentInstance(machineIn(snapshot)?.status) === undefined;
}
