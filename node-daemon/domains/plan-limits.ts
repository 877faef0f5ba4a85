// How CPU time is shared out for a guest that runs: brought to what was granted while it runs, whoever changed it.

import { GUARANTEES_NOT_KEPT } from '#crds/derive/verdict-facts.ts';
import { areKept, isUnlimited, limitsOf } from '#crds/resources.ts';
import { act, type Mine, type Plan } from './actions.ts';
import { planAgain } from './plan-again.ts';

/** Undefined where all is as it should be, or nobody knows. Pure. */
export function planLimits(mine: Mine): Plan | undefined {
  const { snapshot, granted } = mine;
  const wanted = limitsOf(granted.resources);
  switch (snapshot.limits.kind) {
    case 'NotAsked':
    case 'Unknown':
      return undefined;
    case 'Unsupported':
      return isUnlimited(wanted) ? undefined : notKept(mine, snapshot.limits.why);
    case 'Seen': {
      if (areKept(wanted, snapshot.limits.limits)) return undefined;
      const reason = `CPU time is to be shared out as was granted for generation ${granted.generation}.`;
      const failed = planAgain(snapshot, 'SetLimits', { powerState: 'Running' });
      return failed ?? act(snapshot, { kind: 'SetLimits', limits: wanted, reason });
    }
  }
}

function notKept({ snapshot }: Mine, why: string): Plan {
  const reason =
    `The guest runs on ${snapshot.self.name} without the guarantee or limit of CPU time that was granted: ${why}. To have ` +
    'it placed where that can be kept, set spec.powerState to Stopped and, once it is Stopped, back to Running.';
  return { kind: 'Report', report: { powerState: 'Running', fault: { code: GUARANTEES_NOT_KEPT, reason } } };
}
