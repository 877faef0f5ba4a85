// Stopping a guest: ask, ask again, and pull the plug when the grace period is over.
import type { VirtualMachineSpec } from '#crds/v1alpha1/virtual-machine-spec.ts';
import { act, type Plan } from './actions.ts';
import type { StopInProgress } from './memory.ts';
import { ASK_AGAIN_MS, WORTH_TELLING_MS } from './pauses.ts';
import type { Snapshot } from './snapshot.ts';

type PowerOff = VirtualMachineSpec['powerOff'];

/** The next step towards a guest that is off, or how long to wait for it. Pure. */
export function planStop(snapshot: Snapshot, powerOff: PowerOff, reason: string): Plan {
  const { now, memory } = snapshot;
  const stop = memory.stop?.withdrawn === false ? memory.stop : undefined;
  const untilAgain = stop === undefined ? 0 : ASK_AGAIN_MS - (now - stop.lastAskedAt);
  const why = reasonForForce(powerOff, stop, now);
  if (why !== undefined) {
    if (stop?.forced === true && untilAgain > 0) return waiting(now - stop.askedAt, untilAgain);
    return act(snapshot, { kind: 'PullPlug', reason: `${reason} ${why}` });
  }
  if (stop === undefined || untilAgain <= 0) return act(snapshot, { kind: 'AskShutdown', reason });
  const waited = now - stop.askedAt;
  return waiting(waited, Math.min(patienceLeft(powerOff, waited), untilAgain));
}

function reasonForForce(powerOff: PowerOff, stop: StopInProgress | undefined, now: number): string | undefined {
  if (powerOff.mode === 'Force') return 'spec.powerOff.mode is Force.';
  if (stop === undefined || patienceLeft(powerOff, now - stop.askedAt) > 0) return undefined;
  return `It did not shut down within ${powerOff.gracePeriodSeconds} s.`;
}

function patienceLeft({ mode, gracePeriodSeconds }: PowerOff, waited: number): number {
  return mode === 'Graceful' ? Number.POSITIVE_INFINITY : gracePeriodSeconds * 1000 - waited;
}

function waiting(waited: number, again: number): Plan {
  const untilTold = WORTH_TELLING_MS - waited;
  if (untilTold > 0)
    return { kind: 'Nothing', reason: 'The guest is to end any moment.', again: Math.min(again, untilTold) };
  return { kind: 'Report', report: { powerState: 'Stopping' }, again };
}
