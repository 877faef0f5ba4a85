// Writes what this side of a migration says of it, and nothing else.
import { deriveStatus } from '#crds/derive/derive-status.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { VirtualMachineStatus } from '#crds/v1alpha1/virtual-machine-status.ts';
import { timestampOf } from '#runtime/clock/clock.ts';
import { writeStatus } from '#runtime/controller/status-patch.ts';
import type { Plan } from './actions.ts';
import { type DomainContext, isWatched } from './context.ts';
import { amountMoving } from './observe-move.ts';

type Telling = Extract<Plan, { kind: 'TellMove' }>;

interface Work {
  readonly uuid: string;
  readonly vm: VirtualMachine;
  readonly plan: Telling;
  readonly signal: AbortSignal;
}

/** Rejects with a KubeError, with Conflict where the migration may have been decided on anew since. */
export async function tellMove(context: DomainContext, { uuid, vm, plan, signal }: Work): Promise<void> {
  const { store, machineType, moves, admission } = context;
  // Room that another guest took a moment before is not promised; the next look shows that.
  if (plan.told.state === 'Ready' && !admission.keep(uuid, amountMoving(vm))) return;
  const next = statusAfter(vm, plan, timestampOf(context.clock.now()));
  const written = await writeStatus(store, machineType, { observed: vm, next, signal });
  if (isWatched(context, vm)) context.ownWrites.remember(written);
  const { attempt, state } = plan.told;
  if (
    state === 'Moving' &&
    moves.own(uuid, attempt) === undefined &&
    plan.side === 'source' &&
    !('progress' in plan.told)
  )
    moves.remember(uuid, { attempt, kind: 'Announced' });
}

/** The target writes its own word alone: what follows from it is for those to write who may. */
function statusAfter(vm: VirtualMachine, plan: Telling, time: string): VirtualMachineStatus {
  const { status } = vm;
  const told = { ...plan.told, time };
  const next = { ...status, migration: { ...status?.migration, [plan.side]: told } };
  return plan.side === 'source' ? deriveStatus(vm, next, time) : next;
}
