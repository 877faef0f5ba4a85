// One hypervisor that may have fallen silent: look, decide, act, look again.
import type { ReconcileResult } from '#runtime/controller/controller.ts';
import type { TakeoverContext } from './context.ts';
import { execute } from './execute.ts';
import { observe } from './observe.ts';
import { planTakeover } from './plan.ts';
import type { Recovery } from './takeovers.ts';

const LOOK_AGAIN_MS = 1_000;

/** Idempotent. Rejects with a KubeError; nothing is lost by calling it again. */
export async function reconcileTakeover(
  context: TakeoverContext,
  hypervisor: string,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { takeovers } = context;
  const snapshot = observe(context, hypervisor);
  const before = snapshot.memory.recovery;
  const plan = planTakeover(snapshot);
  switch (plan.kind) {
    case 'Nothing':
      takeovers.forget(hypervisor);
      return plan.again === undefined ? {} : { again: plan.again };
    case 'Release':
      await execute(context, snapshot, plan, signal);
      return {};
    case 'Wait':
      if (plan.why !== undefined) takeovers.remember(hypervisor, { recovery: { kind: 'Waiting', why: plan.why } });
      break;
    case 'Go':
      return { again: plan.again };
    case 'Fence':
    case 'Take':
      await execute(context, snapshot, plan, signal);
  }
  if (!sameNews(before, takeovers.of(hypervisor).recovery)) context.onNews(hypervisor);
  if (plan.kind !== 'Wait') return { again: LOOK_AGAIN_MS };
  return plan.again === undefined ? {} : { again: plan.again };
}

function sameNews(one: Recovery | undefined, other: Recovery | undefined): boolean {
  if (one?.kind === 'Waiting' && other?.kind === 'Waiting') return one.why === other.why;
  return one === other;
}
