// Stopping a guest: ask, ask again, and pull the plug when the grace period is over.
import { STATE_UNKNOWN, STOP_FAILED } from '#crds/derive/verdict.ts';
import type { VirtualMachineSpec } from '#crds/v1alpha1/virtual-machine-spec.ts';
import { act, type Plan } from './actions.ts';
import type { StopInProgress } from './memory.ts';
import { ASK_AGAIN_MS, retryPause, WORTH_TELLING_MS } from './pauses.ts';
import { planSaving } from './plan-hibernate.ts';
import { isLongUnknown, unknownInWords } from './plan-unknown.ts';
import { presentDomain, type Snapshot } from './snapshot.ts';

type PowerOff = VirtualMachineSpec['powerOff'];

/** The next step towards a guest that is off, or how long to wait for it. Pure. */
export function planStop(snapshot: Snapshot, powerOff: PowerOff, reason: string): Plan {
  if (isBeingSaved(snapshot) && powerOff.mode !== 'Force') return planSaving();
  const { now } = snapshot;
  const stop = stopInProgress(snapshot);
  const untilAgain = stop === undefined ? 0 : ASK_AGAIN_MS - (now - stop.lastAskedAt);
  const why = reasonForForce(powerOff, stop, now);
  if (why !== undefined) {
    const failed = afterFailedForce(snapshot, stop);
    if (failed !== undefined) return failed;
    if (stop?.by.kind === 'Force' && untilAgain > 0) return waiting(snapshot, stop, untilAgain);
    return act(snapshot, { kind: 'PullPlug', reason: `${reason} ${why}` });
  }
  if (stop === undefined || untilAgain <= 0) return act(snapshot, { kind: 'AskShutdown', reason });
  if (cannotHear(snapshot, stop))
    return act(snapshot, { kind: 'Resume', reason: `${reason} It is paused, and hears that only when it goes on.` });
  const waited = now - stop.askedAt;
  return waiting(snapshot, stop, Math.min(patienceLeft(powerOff, waited), untilAgain));
}

function stopInProgress({ memory }: Snapshot): StopInProgress | undefined {
  return memory.stop?.withdrawn === false ? memory.stop : undefined;
}

/** It hears nothing, and what it is asked would wait for it. */
function isBeingSaved(snapshot: Snapshot): boolean {
  return presentDomain(snapshot)?.powerState === 'Saving';
}

function cannotHear(snapshot: Snapshot, { resumed }: StopInProgress): boolean {
  return resumed !== true && presentDomain(snapshot)?.powerState === 'Paused';
}

function reasonForForce(powerOff: PowerOff, stop: StopInProgress | undefined, now: number): string | undefined {
  if (powerOff.mode === 'Force') return 'spec.powerOff.mode is Force.';
  if (stop === undefined || patienceLeft(powerOff, now - stop.askedAt) > 0) return undefined;
  return `It did not shut down within ${powerOff.gracePeriodSeconds} s.`;
}

/** While the pause after a failure lasts, its cause is told instead of trying again. */
function afterFailedForce(snapshot: Snapshot, stop: StopInProgress | undefined): Plan | undefined {
  if (stop?.by.kind !== 'ForceFailed') return undefined;
  const { self, now } = snapshot;
  const { times, why } = stop.by;
  const wait = retryPause(times) - (now - stop.lastAskedAt);
  if (wait <= 0) return undefined;
  const what = `${self.name} could not switch the guest off: ${why}. It is tried again, with growing pauses.`;
  const unknown = longUnknown(snapshot);
  const reason = unknown === undefined ? what : `${what} ${unknown}`;
  return { kind: 'Report', report: { powerState: 'Stopping', fault: { code: STOP_FAILED, reason } }, again: wait };
}

function patienceLeft({ mode, gracePeriodSeconds }: PowerOff, waited: number): number {
  return mode === 'Graceful' ? Number.POSITIVE_INFINITY : gracePeriodSeconds * 1000 - waited;
}

function waiting(snapshot: Snapshot, { askedAt }: StopInProgress, again: number): Plan {
  const untilTold = WORTH_TELLING_MS - (snapshot.now - askedAt);
  if (untilTold > 0)
    return { kind: 'Nothing', reason: 'The guest is to end any moment.', again: Math.min(again, untilTold) };
  const reason = longUnknown(snapshot);
  const fault = reason === undefined ? {} : { fault: { code: STATE_UNKNOWN, reason } };
  return { kind: 'Report', report: { powerState: 'Stopping', ...fault }, again };
}

function longUnknown(snapshot: Snapshot): string | undefined {
  const domain = presentDomain(snapshot);
  return domain !== undefined && isLongUnknown(snapshot, domain) ? unknownInWords(snapshot, domain) : undefined;
}
