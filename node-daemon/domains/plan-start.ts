// A guest that should run and does not: never started, or ended by itself.
import { amountInWords, amountOf } from '#crds/amount.ts';
import { currentInstance, epochIsOver } from '#crds/derive/epoch.ts';
import { startsAgain } from '#crds/derive/starts-again.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { Instance, LastTermination } from '#crds/v1alpha1/virtual-machine-status.ts';
import type { Domain } from '../hypervisor/driver.ts';
import { act, type Mine, NAME_TAKEN, type Plan, type Report, type StartStep } from './actions.ts';
import { isNewEnd } from './memory.ts';
import { LEASE_RETRY_MS, OBEDIENCE_MS, ROOM_RETRY_MS, restartPause, retryPause } from './pauses.ts';
import { presentDomain } from './snapshot.ts';
import { mayBeTheSame, requestedTermination, type Termination, terminationOf } from './termination.ts';

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
  const { memory } = snapshot;
  if (memory.ended?.told === false) return memory.ended.termination;
  const instance = currentInstance(vm.status);
  if (!wasStarted(mine, instance, domain)) return undefined;
  const facts = { ...snapshot, instance };
  const seen = wasAskedToStop(mine) ? requestedTermination(facts) : terminationOf(facts);
  const told = endTold(instance, vm.status?.lastTermination);
  return told !== undefined && !isNewEnd(memory) && mayBeTheSame(told, seen, facts) ? told : seen;
}

/** Where the status says that it ended, and may be started again. */
function endTold(instance: Instance | undefined, last: LastTermination | undefined): Termination | undefined {
  if (last === undefined || (instance?.powerState !== 'Crashed' && instance?.powerState !== 'Missing'))
    return undefined;
  const { time: _told, ...termination } = last;
  return termination;
}

/** It was declared Stopped, was asked, and was declared Running before it had obeyed. */
function wasAskedToStop(mine: Mine): boolean {
  const { vm, snapshot } = mine;
  const { stop } = snapshot.memory;
  if (stop === undefined) return mayHaveBeenAskedToStop(mine);
  return !stop.withdrawn || snapshot.now - stop.lastAskedAt < obedienceOf(vm);
}

/**
 * By a daemon that has died since: it was decided under this epoch that the guest stops, and then, after the last
 * report or so lately that it may just have obeyed, that it runs. Whoever wants that gets a guest that runs.
 */
function mayHaveBeenAskedToStop({ vm, granted, placement, snapshot }: Mine): boolean {
  const decision = vm.status?.decisions?.find(
    ({ event, verdict }) => event === 'vm.shutdown.request' && (verdict === 'Allow' || verdict === 'Modify'),
  );
  if (decision === undefined) return false;
  const reported = currentInstance(vm.status)?.generation;
  // What was told under this epoch was older: that is so whatever the clocks say.
  if (reported !== undefined && decision.generation !== undefined && reported < decision.generation) return true;
  if (decision.time < placement.time) return false;
  const unreported = reported !== granted.generation;
  return unreported || Math.abs(snapshot.wallTime - Date.parse(decision.time)) < obedienceOf(vm);
}

/**
 * How long after it was asked a guest that ends may have obeyed, though it is wanted by now: an operating system may ask
 * its own services for minutes first, and shows no sign of it. Its grace period is how long we wait for it, not how long
 * it takes. Who is wrongly taken to have obeyed is started again, as declared.
 */
function obedienceOf({ spec }: VirtualMachine): number {
  return Math.max(OBEDIENCE_MS, spec.powerOff.gracePeriodSeconds * 1000);
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
  const wait = restartPause(memory) - (now - (memory.ended?.at ?? now));
  if (memory.ended?.told !== true || wait > 0) return { kind: 'Report', report: ended, again: Math.max(wait, 0) };
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
  return act(snapshot, { kind: 'Start', reason, ...howToStart(mine) });
}

function howToStart({ snapshot, granted, placement }: Mine): Pick<StartStep, 'formerEpoch' | 'paused'> {
  const formerEpoch = presentDomain(snapshot)?.metadata?.epoch;
  const anew = formerEpoch === undefined || formerEpoch === placement.epoch;
  const paused = granted.powerState === 'Paused' ? { paused: true as const } : {};
  return { ...paused, ...(anew ? {} : { formerEpoch }) };
}

function refused(code: string, reason: string): Plan {
  return { kind: 'Report', report: { powerState: 'Refused', fault: { code, reason } } };
}

/** Faults of this node, for which another may be chosen: the permission is given back. */
const refusals: ReadonlySet<string> = new Set(['NoRoom', NAME_TAKEN]);

/** After so many failed starts a guest that has never run is given back, where another hypervisor could take it. */
const PATIENCE = 3;

/** A guest that has run under this permission stays where it is: nobody knows what it would find elsewhere. */
function mayGoElsewhere({ placement }: Mine, ended: Report | undefined): boolean {
  return (placement.alternatives ?? 0) > 0 && ended === undefined;
}

/** A name may be free elsewhere. Where there is no elsewhere, to give the permission back would be to get it again, for ever. */
function isRefusal(code: string, { placement }: Mine): boolean {
  return refusals.has(code) && (code !== NAME_TAKEN || (placement.alternatives ?? 0) > 0);
}

/** Where the permission stays here, so does the room, which people look for elsewhere. */
function whatFollows({ snapshot, granted }: Mine, code: string, movable: boolean): string {
  if (code === NAME_TAKEN)
    return 'Rename that guest there (virsh domrename), or remove it (virsh undefine). It is tried again, with growing pauses.';
  if (movable) return `It is tried again; after ${PATIENCE} failed starts another hypervisor is chosen.`;
  const held = amountInWords(amountOf(granted.resources), 'up');
  return `It is tried again, with growing pauses. Until it is stopped or deleted it holds ${held} on ${snapshot.self.name}.`;
}

/** While the pause after a failed start lasts, its cause is told instead of trying again. */
function afterFailedStart(mine: Mine, ended: Report | undefined): Plan | undefined {
  const { snapshot, granted } = mine;
  const { failedStart } = snapshot.memory;
  if (failedStart === undefined || failedStart.generation !== granted.generation) return undefined;
  const wait = retryPause(failedStart.failures) - (snapshot.now - failedStart.failedAt);
  if (wait <= 0) return undefined;
  const { code, reason, failures, answered } = failedStart;
  const movable = mayGoElsewhere(mine, ended);
  if (isRefusal(code, mine) || (movable && answered && failures >= PATIENCE)) return refused(code, reason);
  const fault = { code, reason: `${reason} ${whatFollows(mine, code, movable)}` };
  const report: Report = { ...(ended ?? { powerState: 'Starting' }), fault };
  return { kind: 'Report', report, again: wait };
}
