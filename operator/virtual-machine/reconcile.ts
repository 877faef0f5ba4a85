// One VM: look, decide, write once.
import type { ReconcileResult } from '#runtime/controller/controller.ts';
import { isPending } from './actions.ts';
import type { MachineContext } from './context.ts';
import { execute } from './execute.ts';
import { observe } from './observe.ts';
import { planVirtualMachine } from './plan.ts';

/** Idempotent. Rejects with a KubeError; nothing is lost by calling it again. */
export async function reconcileVirtualMachine(
  context: MachineContext,
  key: string,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { waiting, clock } = context;
  const cached = context.machines.get(key);
  if (cached === undefined) {
    waiting.delete(key);
    return {};
  }
  const vm = context.ownWrites.latest(cached);
  const plan = planVirtualMachine(observe(context, vm));
  context.stays(vm, plan.stays);
  if (plan.waitsForRoom === undefined) waiting.delete(key);
  else if (!waiting.has(key)) waiting.set(key, clock.monotonic());
  await execute(context, vm, plan.actions, signal);
  if (plan.actions.some(isPending)) waiting.set(key, clock.monotonic());
  return plan.again === undefined ? {} : { again: plan.again };
}
