// One VM: look, decide, write once.
import type { ReconcileResult } from '#runtime/controller.ts';
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
  const cached = context.machines.get(key);
  if (cached === undefined) {
    context.waiting.delete(key);
    return {};
  }
  const vm = context.ownWrites.latest(cached);
  const plan = planVirtualMachine(observe(context, vm));
  if (plan.again === undefined) context.waiting.delete(key);
  else context.waiting.add(key);
  await execute(context, vm, plan.actions, signal);
  return plan.again === undefined ? {} : { again: plan.again };
}
