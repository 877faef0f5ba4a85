// Stopping a guest: ask, ask again, and pull the plug when the grace period is over.
import type { VirtualMachineSpec } from '#crds/v1alpha1/virtual-machine-spec.ts';
import { act, type Plan } from './actions.ts';
import { ASK_AGAIN_MS, WORTH_TELLING_MS } from './pauses.ts';
import type { Snapshot } from './snapshot.ts';

type PowerOff = VirtualMachineSpec['powerOff'];

export function planStop(snapshot: Snapshot, powerOff: PowerOff, reason: string): Plan {
  const { now, memory } = snapshot;
  if (powerOff.mode === 'Force')
    return act(snapshot, { kind: 'PullPlug', reason: `${reason} spec.powerOff.mode is Force.` });
  if (memory.stop === undefined) return act(snapshot, { kind: 'AskShutdown', reason });
  const patience = patienceLeft(powerOff, now - memory.stop.askedAt);
  if (patience <= 0) {
    const grace = `It did not shut down within ${powerOff.gracePeriodSeconds} s.`;
    return act(snapshot, { kind: 'PullPlug', reason: `${reason} ${grace}` });
  }
  const untilAskAgain = ASK_AGAIN_MS - (now - memory.stop.lastAskedAt);
  if (untilAskAgain <= 0) return act(snapshot, { kind: 'AskShutdown', reason });
  return waiting(now - memory.stop.askedAt, Math.min(patience, untilAskAgain));
}

function patienceLeft({ mode, gracePeriodSeconds }: PowerOff, waited: number): number {
  return mode === 'Graceful' ? Number.POSITIVE_INFINITY : gracePeriodSeconds * 1000 - waited;
}

function waiting(waited: number, again: number): Plan {
  const untilTold = WORTH_TELLING_MS - waited;
  if (untilTold > 0)
    return { kind: 'Nothing', reason: 'The guest was asked to shut down.', again: Math.min(again, untilTold) };
  return { kind: 'Report', report: { powerState: 'Stopping' }, again };
}
