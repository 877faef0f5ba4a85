// One hypervisor: look, decide, write once.
import type { Hypervisor } from '#crds/v1alpha1/hypervisor.ts';
import { timestampOf } from '#runtime/clock/clock.ts';
import type { ReconcileResult } from '#runtime/controller/controller.ts';
import { writeStatus } from '#runtime/controller/status-patch.ts';
import type { HypervisorContext } from './context.ts';
import { type Heard, observe } from './observe.ts';
import { isNews, type Plan, planHypervisor } from './plan.ts';
import { AWAITING } from './plan-acceptance.ts';
import { statusAfter } from './status.ts';

/** Says what is heard of one hypervisor, and comes back when it would be lost. Rejects with a KubeError. */
export async function reconcileHypervisor(
  context: HypervisorContext,
  name: string,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const cached = context.hypervisors.get(name);
  if (cached === undefined) {
    noticeLoss(context, name, undefined);
    return {};
  }
  const { clock, ownWrites, store, hypervisorType } = context;
  const snapshot = observe(context, cached);
  const { hypervisor } = snapshot;
  noticeLoss(context, name, lossOf(snapshot));
  const plan = planHypervisor(snapshot);
  if (isNews(plan, hypervisor)) {
    const next = statusAfter(plan, hypervisor, timestampOf(clock.now()));
    ownWrites.remember(await writeStatus(store, hypervisorType, { observed: hypervisor, next, signal }));
    tell(context, hypervisor, plan);
  }
  return lookAgain(context, name, snapshot);
}

/** Nobody looks at a machine that has just joined, unless he is told. */
function tell({ warn }: HypervisorContext, hypervisor: Hypervisor, { conditions }: Plan): void {
  for (const { reason, message } of conditions) if (reason === AWAITING) warn(hypervisor, reason, message);
}

function lossOf({ silentSince, outageGraceLeft }: Heard): 'Silent' | 'CutOff' | undefined {
  if (silentSince !== undefined) return 'Silent';
  return outageGraceLeft === 0 ? 'CutOff' : undefined;
}

/** When it would be lost if nothing more were heard. */
function lookAgain({ heartbeats, clock }: HypervisorContext, name: string, heard: Heard): ReconcileResult {
  if (heard.silentSince !== undefined) return {};
  const silentIn = heartbeats.silentIn(name, clock.monotonic());
  const { outageGraceLeft = 0 } = heard;
  return { again: (outageGraceLeft === 0 ? silentIn : Math.min(silentIn, outageGraceLeft)) + 1 };
}

function noticeLoss(
  { lost, onReachabilityChanged }: HypervisorContext,
  name: string,
  loss: 'Silent' | 'CutOff' | undefined,
): void {
  if (lost.get(name) === loss) return;
  if (loss === undefined) lost.delete(name);
  else lost.set(name, loss);
  onReachabilityChanged(name);
}
