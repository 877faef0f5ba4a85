// A guest that should run and does not: never started, or ended by itself.
import { currentInstance, epochIsOver } from '#crds/derive/epoch.ts';
import type { Instance } from '#crds/v1alpha1/virtual-machine-status.ts';
import type { Domain } from '../hypervisor/driver.ts';
import { act, type Mine, type Plan, type Report } from './actions.ts';
import { LEASE_RETRY_MS, restartPause, startRetryPause } from './pauses.ts';
import { type Termination, terminationOf } from './termination.ts';

export function planNotRunning(mine: Mine, domain: Domain | undefined): Plan {
  const { vm, snapshot } = mine;
  if (epochIsOver(vm.status))
    return { kind: 'Nothing', reason: 'The permission was used up; another is needed to start.' };
  const instance = currentInstance(vm.status);
  if (!wasStarted(mine, instance, domain)) return planStart(mine, 'It was granted and placed here.');
  return planEnded(mine, terminationOf({ ...snapshot, instance }));
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
      if (restartPolicy === 'Never') return { kind: 'Report', report: { powerState: 'Stopped', termination } };
      return planRestart(mine, { powerState: 'Crashed', termination: goingOn(termination, restartPolicy) });
    case 'StoppedByGuest':
      if (restartPolicy !== 'Always') return { kind: 'Report', report: { powerState: 'Stopped', termination } };
      return planRestart(mine, { powerState: 'Starting', termination: goingOn(termination, restartPolicy) });
    case 'DestroyedOnHost':
    case 'Vanished':
    case 'Unknown':
      if (recovery.onMissing === 'Hold') return { kind: 'Report', report: { powerState: 'Missing', termination } };
      return planRestart(mine, { powerState: 'Missing', termination });
    case 'StoppedByRequest':
    case 'ForcedByRequest':
      return { kind: 'Report', report: { powerState: 'Stopped', termination } };
  }
}

function goingOn(termination: Termination, restartPolicy: string): Termination {
  return { ...termination, message: `${termination.message} It is started again (restartPolicy ${restartPolicy}).` };
}

/** Tells the end at once, and starts again when the pause that grows with every end is over. */
function planRestart(mine: Mine, ended: Report): Plan {
  const { memory, now } = mine.snapshot;
  const { instance } = mine.vm.status ?? {};
  const known = instance?.powerState === ended.powerState;
  const wait = memory.endedAt === undefined ? restartPause(memory) : restartPause(memory) - (now - memory.endedAt);
  if (!known || wait > 0) return { kind: 'Report', report: ended, again: Math.max(wait, 0) };
  return planStart(mine, ended.termination?.message ?? 'It ended.', ended);
}

function planStart(mine: Mine, reason: string, ended?: Report): Plan {
  const { snapshot, vm, granted } = mine;
  if (granted.generation !== vm.metadata.generation) {
    return { kind: 'Nothing', reason: `Generation ${vm.metadata.generation ?? 0} of the spec is not decided yet.` };
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
  if (!snapshot.room.fits) {
    return {
      kind: 'Report',
      report: { powerState: 'Refused', fault: { code: 'NoRoom', reason: snapshot.room.reason } },
    };
  }
  return act(snapshot, { kind: 'Start', reason });
}

/** While the pause after a failed start lasts, its cause is told instead of trying again. */
function afterFailedStart({ snapshot }: Mine, ended: Report | undefined): Plan | undefined {
  const { memory, now } = snapshot;
  if (memory.failedStart === undefined) return undefined;
  const wait = startRetryPause(memory.failedStart.failures) - (now - memory.failedStart.failedAt);
  if (wait <= 0) return undefined;
  const { code, reason } = memory.failedStart;
  const report: Report = { ...(ended ?? { powerState: 'Starting' }), fault: { code, reason } };
  return { kind: 'Report', report, again: wait };
}
