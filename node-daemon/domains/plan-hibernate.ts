// A guest that is declared Hibernated.
import { epochIsOver } from '#crds/derive/epoch.ts';
import type { Domain } from '../hypervisor/driver.ts';
import { act, type Mine, type Plan } from './actions.ts';
import { HYPERVISOR_SILENT_RETRY_MS } from './pauses.ts';
import { planAgain } from './plan-again.ts';
import { endOf } from './plan-end.ts';
import { isOfThisPermission, planStale } from './plan-image.ts';

/** Of one that runs or is paused: whatever comes of it, it is never ended by force. Pure. */
export function planHibernated({ snapshot }: Mine, powerState: 'Running' | 'Paused'): Plan {
  const failed = planAgain(snapshot, 'Hibernate', { powerState });
  return failed ?? act(snapshot, { kind: 'Hibernate', reason: 'spec.powerState is Hibernated.' });
}

/** Whatever is declared, it is not disturbed at that. */
export function planSaving(): Plan {
  return { kind: 'Nothing', reason: 'Its memory is being written to disk.', again: HYPERVISOR_SILENT_RETRY_MS };
}

/** Of one that is off: its memory is kept, or there is nothing to keep. Pure. */
export function planAsleep(mine: Mine, domain: Domain | undefined): Plan {
  const over = epochIsOver(mine.vm.status);
  if (domain?.hasImage === true) {
    if (over || !isOfThisPermission(mine, domain)) return planStale(mine, domain, { powerState: 'Stopped' });
    return { kind: 'Report', report: { powerState: 'Hibernated' } };
  }
  return over ? { kind: 'Nothing', reason: 'It is off, and told so.' } : planNothingKept(mine, domain);
}

/** What somebody did on the host is held where its recovery says so; every other end leaves nothing to hibernate. */
function planNothingKept(mine: Mine, domain: Domain | undefined): Plan {
  const termination = endOf(mine, domain);
  if (termination === undefined) return { kind: 'Report', report: { powerState: 'Stopped' } };
  const isOfTheHost = heldReasons.has(termination.reason) && mine.vm.spec.recovery.onMissing === 'Hold';
  const powerState = isOfTheHost || termination.reason === 'MovedAway' ? 'Missing' : 'Stopped';
  return { kind: 'Report', report: { powerState, termination } };
}

const heldReasons: ReadonlySet<string> = new Set(['DestroyedOnHost', 'Vanished', 'SavedImageGone', 'Unknown']);
