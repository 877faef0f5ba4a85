// A guest that is off and whose memory is kept. What is kept belongs to the permission under which it ran: under another
// one it is refused and removed, for old memory on a newer disk would destroy what is there.
import { RESTORE_FAILED, wasDeclaredHibernated } from '#crds/derive/hibernated.ts';
import { howToBootAnew } from '#crds/derive/verdict-hibernated.ts';
import type { Domain } from '../hypervisor/driver.ts';
import { act, type Mine, type Plan, type Report } from './actions.ts';
import { amountToRestore } from './held.ts';
import { NO_ROOM_RETRY_MS, ROOM_RETRY_MS, retryPause } from './pauses.ts';
import { planAgain } from './plan-again.ts';
import { notDecided, withoutLease } from './plan-ready.ts';

const STALE = 'StaleImage';

/** Whether what is kept belongs to the present permission. */
export function isOfThisPermission({ placement }: Mine, { hasImage, metadata }: Domain): boolean {
  return hasImage === true && metadata?.epoch === placement.epoch;
}

/** Whether that is so, and it was declared: then it may go on. */
export function isKept(mine: Mine, domain: Domain | undefined): domain is Domain {
  return domain !== undefined && isOfThisPermission(mine, domain) && wasDeclaredHibernated(mine.vm.status ?? {});
}

/** Lets it go on; or what is told instead. It stays as it is, under its permission, for as long as that is not possible. Pure. */
export function planRestore(mine: Mine, domain: Domain, ended?: Report): Plan {
  const report: Report = ended ?? { powerState: 'Hibernated' };
  const wait = notDecided(mine) ?? withoutLease(mine) ?? afterFailedRestore(mine, report);
  if (wait !== undefined) return wait;
  const { room, self } = mine.snapshot;
  if (room.fits === undefined) return { kind: 'Nothing', reason: room.reason, again: ROOM_RETRY_MS };
  if (!room.fits) {
    const reason = `There is no room on ${self.name} to restore the guest. ${room.reason} ${howToBootAnew()}`;
    return { kind: 'Report', report: { ...report, fault: { code: 'NoRoom', reason } }, again: NO_ROOM_RETRY_MS };
  }
  const amount = amountToRestore(domain, mine.granted.resources);
  const paused = mine.granted.powerState === 'Paused' ? { paused: true as const } : {};
  const reason = `spec.powerState is ${mine.granted.powerState}.`;
  return act(mine.snapshot, { kind: 'Restore', reason, amount, ...paused });
}

/** While the pause after a failure lasts, its cause is told instead of trying again. */
function afterFailedRestore({ snapshot, granted }: Mine, report: Report): Plan | undefined {
  const { failedStart } = snapshot.memory;
  if (failedStart === undefined || failedStart.generation !== granted.generation) return undefined;
  const wait = retryPause(failedStart.failures) - (snapshot.now - failedStart.failedAt);
  if (wait <= 0) return undefined;
  const reason = `${failedStart.reason} It is tried again, with growing pauses. ${howToBootAnew()}`;
  return { kind: 'Report', report: { ...report, fault: { code: RESTORE_FAILED, reason } }, again: wait };
}

/** What is kept is of no use under this permission. Pure; `report` is what is seen meanwhile. */
export function planStale(mine: Mine, { metadata }: Domain, report: Report): Plan {
  const { self } = mine.snapshot;
  const what = `What was kept of the guest's memory on ${self.name} belongs to epoch ${metadata?.epoch}`;
  const reason = `${what}, and it now holds epoch ${mine.placement.epoch}: it is removed, and never used.`;
  return (
    planAgain(mine.snapshot, 'DiscardImage', report) ??
    act(mine.snapshot, { kind: 'DiscardImage', reason, warning: STALE })
  );
}

/** What is kept is not wanted any more. Pure. */
export function planDiscard({ snapshot }: Mine): Plan {
  const failed = planAgain(snapshot, 'DiscardImage', { powerState: 'Hibernated' });
  return failed ?? act(snapshot, { kind: 'DiscardImage', reason: 'spec.powerState is Stopped.' });
}
