// A guest that should run and does not: never started, or ended by itself.
import { amountInWords, amountOf } from '#crds/amount.ts';
import { epochIsOver } from '#crds/derive/epoch.ts';
import { startsAgain } from '#crds/derive/starts-again.ts';
import type { Domain } from '../hypervisor/driver.ts';
import { act, type Mine, NAME_TAKEN, type Plan, type Report, type StartStep } from './actions.ts';
import { isBeingCycled, isRebooting } from './current-operation.ts';
import { domainName } from './definition.ts';
import { ROOM_RETRY_MS, restartPause, retryPause } from './pauses.ts';
import { pendingChanges } from './pending-changes.ts';
import { endOf } from './plan-end.ts';
import { isKept, isOfThisPermission, planRestore, planStale } from './plan-image.ts';
import { notDecided, withoutLease } from './plan-ready.ts';
import { presentDomain } from './snapshot.ts';
import type { Termination } from './termination.ts';

/** A start, or what is told instead: how it ended, why it is not started, for how long it waits. Pure. */
export function planNotRunning(mine: Mine, domain: Domain | undefined): Plan {
  if (epochIsOver(mine.vm.status))
    return { kind: 'Nothing', reason: 'The permission was used up; another is needed to start.' };
  if (isKept(mine, domain)) return planRestore(mine, domain);
  const interlude = interludeOf(mine, domain);
  if (interlude !== undefined) return planStart(mine, interlude);
  const ended = endOf(mine, domain);
  return ended === undefined ? planStart(mine, 'It was granted and placed here.') : planEnded(mine, ended);
}

/** It is off because an operation wanted it to be for a moment: that is no end, and it is started again. */
function interludeOf({ vm, snapshot }: Mine, domain: Domain | undefined): string | undefined {
  const name = vm.status?.currentOperation?.name ?? '';
  if (isBeingCycled(vm, domain)) return `Operation ${name} has pulled its plug, and has it start again.`;
  const obeyed = domain?.shutOffReason === 'Shutdown' && isRebooting(vm, snapshot.wallTime);
  return obeyed ? `Operation ${name} asked it to reboot, and it powered itself off instead.` : undefined;
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
    // It may run where it went: whatever is declared, a second one is not started here.
    case 'MovedAway':
      return { kind: 'Report', report: { powerState: 'Missing', termination } };
    case 'DestroyedOnHost':
    case 'Vanished':
    case 'SavedImageGone':
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
  const { snapshot } = mine;
  const domain = presentDomain(snapshot);
  if (domain?.hasImage === true) return planFromImage(mine, domain, ended);
  const wait = notDecided(mine) ?? replaced(mine) ?? withoutLease(mine) ?? afterFailedStart(mine, ended);
  if (wait !== undefined) return wait;
  const { room } = snapshot;
  if (room.fits === undefined) return { kind: 'Nothing', reason: room.reason, again: ROOM_RETRY_MS };
  if (!room.fits) return refused('NoRoom', `There is no room on ${snapshot.self.name}. ${room.reason}`);
  return act(snapshot, { kind: 'Start', reason, ...howToStart(mine) });
}

/** No guest is built anew while the memory of one is kept under its name. */
function planFromImage(mine: Mine, domain: Domain, ended: Report | undefined): Plan {
  if (isOfThisPermission(mine, domain)) return planRestore(mine, domain, ended);
  return planStale(mine, domain, ended ?? { powerState: 'Starting' });
}

function replaced({ placement, snapshot }: Mine): Plan | undefined {
  if (placement.hypervisorUID === snapshot.self.uid) return undefined;
  const why = `The permission was given to a Hypervisor ${snapshot.self.name} that has since been replaced.`;
  return refused('HypervisorReplaced', why);
}

function howToStart({ snapshot, vm, granted, placement }: Mine): Omit<StartStep, 'kind' | 'reason'> {
  const domain = presentDomain(snapshot);
  const formerEpoch = domain?.metadata?.epoch;
  const anew = formerEpoch === undefined || formerEpoch === placement.epoch;
  const paused = granted.powerState === 'Paused' ? { paused: true as const } : {};
  return { ...paused, ...(anew ? {} : { formerEpoch }), ...asItIs(domain, vm, granted) };
}

/** A guest that was adopted keeps its name, and what it was found with as long as nothing else is declared. */
function asItIs(
  domain: Domain | undefined,
  vm: Mine['vm'],
  granted: Mine['granted'],
): Pick<StartStep, 'asFound' | 'name'> {
  if (domain === undefined) return {};
  const { name, metadata } = domain;
  const keeps = metadata?.asFound !== undefined && pendingChanges(metadata, vm, granted).length === 0;
  const asFound = keeps ? { asFound: metadata.asFound } : {};
  return name === domainName(vm) ? asFound : { ...asFound, name };
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
