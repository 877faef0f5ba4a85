// A guest that should run and does not: never started, or ended by itself.
import { currentInstance, epochIsOver } from '#crds/derive/epoch.ts';
import { startsAgain } from '#crds/derive/starts-again.ts';
import type { Instance, LastTermination } from '#crds/v1alpha1/virtual-machine-status.ts';
import type { Domain } from '../hypervisor/driver.ts';
import { act, type Mine, type Plan, type Report } from './actions.ts';
import { LEASE_RETRY_MS, ROOM_RETRY_MS, restartPause, startRetryPause } from './pauses.ts';
import { requestedTermination, type Termination, terminationOf } from './termination.ts';

/** A start, or what is told instead: how it ended, why it is not started, for how long it waits. Pure. */
export function planNotRunning(mine: Mine, domain: Domain | undefined): Plan {
  if (epochIsOver(mine.vm.status))
    return { kind: 'Nothing', reason: 'The permission was used up; another is needed to start.' };
  const ended = endOf(mine, domain);
  return ended === undefined ? planStart(mine, 'It was granted and placed here.') : planEnded(mine, ended);
}

/** How the guest came to its end under this epoch; undefined where it was not started under it yet. */
function endOf(mine: Mine, domain: Domain | undefined): Termination | undefined {
  const { vm, snapshot } = mine;
  const instance = currentInstance(vm.status);
  const told = endTold(instance, vm.status?.lastTermination);
  if (told !== undefined) return told;
  if (!wasStarted(mine, instance, domain)) return undefined;
  if (wasAskedToStop(mine)) return requestedTermination({ ...snapshot, instance });
  return terminationOf({ ...snapshot, instance });
}

/** What was told stands: hypervisors forget why a guest ended, and a machine boots only once. */
function endTold(instance: Instance | undefined, last: LastTermination | undefined): Termination | undefined {
  if (last === undefined || (instance?.powerState !== 'Crashed' && instance?.powerState !== 'Missing'))
    return undefined;
  const { time: _told, ...termination } = last;
  return termination;
}

/** It was declared Stopped, was asked, and was declared Running before it had obeyed. */
function wasAskedToStop({ vm, snapshot }: Mine): boolean {
  const { stop } = snapshot.memory;
  if (stop === undefined) return false;
  return !stop.withdrawn || snapshot.now - stop.lastAskedAt < vm.spec.powerOff.gracePeriodSeconds * 1000;
}

/** Whether this epoch has already seen the guest up: its end is then an event, and a start a restart. */
function wasStarted({ placement }: Mine, instance: Instance | undefined, domain: Domain | undefined): boolean {
  if (instance !== undefined) return instance.powerState !== 'Starting' || endedForAReason(placement.epoch, domain);
  return endedForAReason(placement.epoch, domain);
}

/** A start that failed leaves Failed behind, so Failed alone does not prove that the guest ever ran. */
function endedForAReason(epoch: number, domain: Domain | undefined): boolean {
  if (domain?.metadata?.epoch !== epoch) return false;
  return (
    domain.shutOffReason === 'Shutdown' || domain.shutOffReason === 'Destroyed' || domain.shutOffReason === 'Crashed'
  );
}

function planEnded(mine: Mine, termination: Termination): Plan {
  const { restartPolicy, recovery } = mine.vm.spec;
  switch (termination.reason) {
    case 'Crashed':
    case 'HostRebooted':
      if (!startsAgain(restartPolicy, termination.reason)) return stopped(termination);
      return planRestart(mine, { powerState: 'Crashed', termination });
    case 'StoppedByGuest':
      if (!startsAgain(restartPolicy, termination.reason)) return stopped(termination);
      return planRestart(mine, { powerState: 'Starting', termination });
    case 'DestroyedOnHost':
    case 'Vanished':
    case 'Unknown':
      if (recovery.onMissing === 'Hold') return { kind: 'Report', report: { powerState: 'Missing', termination } };
      return planRestart(mine, { powerState: 'Missing', termination });
    case 'StoppedByRequest':
    case 'ForcedByRequest':
      return stopped(termination);
  }
}

function stopped(termination: Termination): Plan {
  return { kind: 'Report', report: { powerState: 'Stopped', termination } };
}

/** Tells the end at once, and starts again when the pause that grows with every end is over. */
function planRestart(mine: Mine, ended: Report): Plan {
  const { memory, now } = mine.snapshot;
  const known = currentInstance(mine.vm.status)?.powerState === ended.powerState;
  const wait = memory.endedAt === undefined ? restartPause(memory) : restartPause(memory) - (now - memory.endedAt);
  if (!known || wait > 0) return { kind: 'Report', report: ended, again: Math.max(wait, 0) };
  return planStart(mine, ended.termination?.message ?? 'It ended.', ended);
}

function planStart(mine: Mine, reason: string, ended?: Report): Plan {
  const { snapshot, vm, granted, placement } = mine;
  if (granted.generation !== vm.metadata.generation) {
    return { kind: 'Nothing', reason: `Generation ${vm.metadata.generation ?? 0} of the spec is not decided yet.` };
  }
  if (placement.hypervisorUID !== snapshot.self.uid) {
    const why = `The permission was given to a Hypervisor ${snapshot.self.name} that has since been replaced.`;
    return refused('HypervisorReplaced', why);
  }
  if (!snapshot.leaseValid) {
    return {
      kind: 'Nothing',
      reason: 'Nothing is started while the Lease of this node is not renewed.',
      again: LEASE_RETRY_MS,
    };
  }
  const failed = afterFailedStart(mine, ended);
  if (failed !== undefined) return failed;
  const { room } = snapshot;
  if (room.fits === undefined) return { kind: 'Nothing', reason: room.reason, again: ROOM_RETRY_MS };
  if (!room.fits) return refused('NoRoom', `There is no room on ${snapshot.self.name}. ${room.reason}`);
  return act(snapshot, { kind: 'Start', reason });
}

function refused(code: string, reason: string): Plan {
  return { kind: 'Report', report: { powerState: 'Refused', fault: { code, reason } } };
}

/** Faults of this node, for which another may be chosen: the permission is given back. */
const refusals: ReadonlySet<string> = new Set(['NoRoom', 'NameTaken']);

/** While the pause after a failed start lasts, its cause is told instead of trying again. */
function afterFailedStart({ snapshot, granted }: Mine, ended: Report | undefined): Plan | undefined {
  const { failedStart } = snapshot.memory;
  if (failedStart === undefined || failedStart.generation !== granted.generation) return undefined;
  const wait = startRetryPause(failedStart.failures) - (snapshot.now - failedStart.failedAt);
  if (wait <= 0) return undefined;
  const { code, reason } = failedStart;
  if (refusals.has(code)) return refused(code, reason);
  const fault = { code, reason: `${reason} It is tried again, with growing pauses.` };
  const report: Report = { ...(ended ?? { powerState: 'Starting' }), fault };
  return { kind: 'Report', report, again: wait };
}
