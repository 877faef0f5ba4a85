// One pass over one operation: what it does to VMs, then what is told of it.

import { namesIn, rangesOf } from '#crds/set/ranges.ts';
import type { OperationStatus } from '#crds/v1alpha1/operation-status.ts';
import type { VirtualMachineOperation } from '#crds/v1alpha1/virtual-machine-operation.ts';
import { timestampOf } from '#runtime/clock/clock.ts';
import type { ReconcileResult } from '#runtime/controller/controller.ts';
import { writeStatus } from '#runtime/controller/status-patch.ts';
import { keyOf, keyText } from '#runtime/kube/resource.ts';
import type { Action, Plan } from './actions.ts';
import type { OperationContext } from './context.ts';
import { begin, withdraw } from './execute.ts';
import { observe } from './observe.ts';
import { planOperation } from './plan.ts';
import { beginning, begun, type Progress, settled } from './progress.ts';
import type { Snapshot } from './snapshot.ts';
import { type Stage, stageOf, statusAfter } from './status.ts';

/** How far it is is written no more often; that it has begun and that it is over is written at once. */
const WRITE_INTERVAL_MS = 2000;

/** Many targets change at once, and each look at them all takes a while: no more than so often. */
const LOOK_INTERVAL_MS = 100;
const MANY_TARGETS = 50;

interface Pass {
  readonly context: OperationContext;
  readonly operation: VirtualMachineOperation;
  readonly snapshot: Snapshot;
  readonly plan: Plan;
  readonly signal: AbortSignal;
}

export async function reconcileOperation(
  context: OperationContext,
  key: string,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const cached = context.operations.get(key);
  if (cached === undefined) {
    context.working.delete(key);
    return {};
  }
  const operation = context.ownWrites.latest(cached);
  const early = tooEarly(context, operation);
  if (early > 0) return { again: early };
  const snapshot = await observe(context, operation, signal);
  const plan = planOperation(snapshot);
  const pass = { context, operation, snapshot, plan, signal };
  const [first] = plan.actions;
  if (first?.kind === 'Remove') return remove(pass);
  if (operation.status?.completionTime !== undefined) return againIn(plan.again);
  if (first?.kind === 'Finish') return finish(pass, first);
  if (first?.kind === 'Hold') return hold(pass, first);
  if (snapshot.progress === undefined) return resolve(pass);
  return work(pass, snapshot.progress);
}

/** Milliseconds until it may be looked at again. */
function tooEarly({ working, clock }: OperationContext, operation: VirtualMachineOperation): number {
  const known = working.get(keyText(keyOf(operation)));
  if (known === undefined || known.progress.targets.length <= MANY_TARGETS) return 0;
  return known.lookedAt + LOOK_INTERVAL_MS - clock.monotonic();
}

function againIn(again: number | undefined): ReconcileResult {
  return again === undefined ? {} : { again };
}

async function remove({ context, operation, signal }: Pass): Promise<ReconcileResult> {
  const { uid } = operation.metadata;
  await context.store.delete(context.operationType, keyOf(operation), { preconditions: { uid }, signal });
  return {};
}

async function finish(
  pass: Pass,
  { phase, code, reason }: Extract<Action, { kind: 'Finish' }>,
): Promise<ReconcileResult> {
  await tell(pass, pass.snapshot.progress, { phase, code, message: reason });
  return { again: 0 };
}

async function hold(pass: Pass, { code, reason }: Extract<Action, { kind: 'Hold' }>): Promise<ReconcileResult> {
  await tell(pass, undefined, { phase: 'Pending', code, message: reason });
  return {};
}

/** Nothing is done before the list of targets is written. */
async function resolve(pass: Pass): Promise<ReconcileResult> {
  const { actions } = pass.plan;
  const found = actions.find((action) => action.kind === 'Resolve');
  if (found === undefined) return {};
  // In the order in which they are read again.
  const targets = namesIn(rangesOf(found.targets));
  const progress = actions.reduce(folded, beginning(timestampOf(pass.context.clock.now()), targets));
  await tellProgress(pass, progress);
  return { again: 0 };
}

async function work(pass: Pass, before: Progress): Promise<ReconcileResult> {
  const { context, operation, plan, signal } = pass;
  const time = timestampOf(context.clock.now());
  for (const action of plan.actions) if (action.kind === 'Withdraw') await withdraw(action.vm, action.reason, pass);
  const starts = plan.actions.filter((action) => action.kind === 'Begin');
  const planned = starts.reduce((all, { name }) => begun(all, name, time), plan.actions.reduce(folded, before));
  remember(context, operation, planned);
  const done = await Promise.allSettled(starts.map(async (start) => begin(start, { context, operation, signal })));
  const refusals = done.flatMap((each) =>
    each.status === 'fulfilled' && each.value !== undefined ? [each.value] : [],
  );
  // What could not be tried is not under way: it is begun anew.
  const failures = done.flatMap((each, index) =>
    each.status === 'rejected' ? [{ name: starts[index]?.name ?? '', error: each.reason as unknown }] : [],
  );
  const progress = failures.reduce((all, { name }) => notBegun(all, name), refusals.reduce(folded, planned));
  remember(context, operation, progress);
  const wait = await tellInTime(pass, progress);
  if (failures[0] !== undefined) throw failures[0].error;
  const again = refusals.length > 0 ? 0 : plan.again;
  return againIn(wait === undefined ? again : Math.min(wait, again ?? wait));
}

function folded(progress: Progress, action: Action): Progress {
  return action.kind === 'Settle' ? settled(progress, action.result) : progress;
}

function notBegun(progress: Progress, name: string): Progress {
  const active = new Map(progress.active);
  active.delete(name);
  return { ...progress, active };
}

function remember(context: OperationContext, operation: VirtualMachineOperation, progress: Progress): void {
  const { uid } = operation.metadata;
  context.working.set(keyText(keyOf(operation)), {
    uid,
    progress,
    writtenAt: writtenAt(context, operation),
    lookedAt: context.clock.monotonic(),
  });
}

function writtenAt({ working }: OperationContext, operation: VirtualMachineOperation): number {
  const known = working.get(keyText(keyOf(operation)));
  return known?.uid === operation.metadata.uid ? known.writtenAt : Number.NEGATIVE_INFINITY;
}

/** Milliseconds until it may be told; undefined where it was. */
async function tellInTime(pass: Pass, progress: Progress): Promise<number | undefined> {
  const { context, operation, snapshot } = pass;
  const stage = stageOf(operation, progress, snapshot);
  const left = writtenAt(context, operation) + WRITE_INTERVAL_MS - context.clock.monotonic();
  if (stage.phase === operation.status?.phase && left > 0) return left;
  await tellProgress(pass, progress);
  return stage.phase === 'Running' ? undefined : 0;
}

async function tellProgress(pass: Pass, progress: Progress): Promise<void> {
  const { context, operation, snapshot } = pass;
  const stage = stageOf(operation, progress, snapshot);
  await tell(pass, progress, stage);
  const key = keyText(keyOf(operation));
  const { uid } = operation.metadata;
  const now = context.clock.monotonic();
  if (stage.phase === 'Running') context.working.set(key, { uid, progress, writtenAt: now, lookedAt: now });
  else context.working.delete(key);
}

async function tell({ context, operation, signal }: Pass, progress: Progress | undefined, stage: Stage): Promise<void> {
  const time = timestampOf(context.clock.now());
  const next: OperationStatus = statusAfter(operation, { progress, stage, time });
  const written = await writeStatus(context.store, context.operationType, { observed: operation, next, signal });
  if (written === operation) return;
  if (context.operations.getByUid(operation.metadata.uid) !== undefined) context.ownWrites.remember(written);
  const { phase, code, message } = stage;
  context.logger.info('operation', {
    operation: `${operation.metadata.namespace}/${operation.metadata.name}`,
    phase,
    message,
  });
  if (phase === 'Failed' || phase === 'PartiallySucceeded' || phase === 'Denied')
    context.warn(operation, code, message);
}
