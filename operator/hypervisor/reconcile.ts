// One hypervisor: look, decide, write once.
import { timestampOf } from '#runtime/clock.ts';
import type { ReconcileResult } from '#runtime/controller.ts';
import { writeStatus } from '#runtime/status-patch.ts';
import type { HypervisorContext } from './context.ts';
import { observe } from './observe.ts';
import { planHypervisor } from './plan.ts';
import { statusAfter } from './status.ts';

/** Says what is heard of one hypervisor, and comes back when it would fall silent. Rejects with a KubeError. */
export async function reconcileHypervisor(
  context: HypervisorContext,
  name: string,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const cached = context.hypervisors.get(name);
  if (cached === undefined) {
    noticeSilence(context, name, false);
    return {};
  }
  const { clock, heartbeats, ownWrites, store, hypervisorType } = context;
  const snapshot = observe(context, cached);
  const { hypervisor, silentSince } = snapshot;
  noticeSilence(context, name, silentSince !== undefined);
  const plan = planHypervisor(snapshot);
  if (plan.conditions.length > 0) {
    const next = statusAfter(plan, hypervisor, timestampOf(clock.now()));
    ownWrites.remember(await writeStatus(store, hypervisorType, { observed: hypervisor, next, signal }));
  }
  return silentSince === undefined ? { again: heartbeats.silentIn(name, clock.monotonic()) + 1 } : {};
}

function noticeSilence({ silent, onReachabilityChanged }: HypervisorContext, name: string, isSilent: boolean): void {
  if (silent.has(name) === isSilent) return;
  if (isSilent) silent.add(name);
  else silent.delete(name);
  onReachabilityChanged(name);
}
