// The one place where the progress of an operation becomes its next status.
import { removeCondition, setCondition } from '#crds/conditions.ts';
import { rangesOf } from '#crds/set/ranges.ts';
import type { Condition } from '#crds/v1alpha1/fragments.ts';
import type { OperationPhase, OperationStatus } from '#crds/v1alpha1/operation-status.ts';
import type { VirtualMachineOperation } from '#crds/v1alpha1/virtual-machine-operation.ts';
import { HOLD_ADVICE, isOnHold } from '#operator/site/hold.ts';
import { isComplete, type Progress, waitingIn } from './progress.ts';
import type { Snapshot } from './snapshot.ts';

/** Characters of `status.summary`. */
const SUMMARY = 64;

/** What is told of an operation as a whole. */
export interface Stage {
  readonly phase: OperationPhase;
  readonly code: string;
  readonly message: string;
}

/** The status that says so, complete. `time` is RFC 3339. */
export function statusAfter(
  operation: VirtualMachineOperation,
  { progress, stage, time }: { readonly progress: Progress | undefined; readonly stage: Stage; readonly time: string },
): OperationStatus {
  const before = operation.status ?? {};
  const over = stage.phase !== 'Pending' && stage.phase !== 'Running';
  return {
    observedGeneration: operation.metadata.generation ?? 0,
    phase: stage.phase,
    ...(progress === undefined ? {} : fieldsOf(progress)),
    ...(over ? { completionTime: before.completionTime ?? time } : {}),
    conditions: conditionsAfter(operation, stage, time),
  };
}

function fieldsOf(progress: Progress): OperationStatus {
  const { targets, succeeded, failed, cancelled, active, results, startTime } = progress;
  const ranges = rangesOf(targets);
  const waiting = waitingIn(progress).length;
  return {
    startTime,
    summary: shortened(ranges.join(',')),
    done: `${succeeded.size}/${targets.length}`,
    counts: {
      total: targets.length,
      succeeded: succeeded.size,
      failed: failed.size,
      cancelled: cancelled.size,
      active: active.size,
      waiting,
    },
    targets: ranges,
    ...named('succeeded', succeeded),
    ...named('failed', failed),
    ...named('cancelled', cancelled),
    ...(active.size === 0 ? {} : { active: [...active].map(([name, begunAt]) => ({ name, startTime: begunAt })) }),
    ...(results.length === 0 ? {} : { results: [...results] }),
  };
}

function named(field: 'succeeded' | 'failed' | 'cancelled', names: ReadonlySet<string>): OperationStatus {
  return names.size === 0 ? {} : { [field]: rangesOf(names) };
}

function shortened(text: string): string {
  return text.length <= SUMMARY ? text : `${text.slice(0, SUMMARY - 3)}...`;
}

/** Pure. Where an operation stands whose targets were found. */
export function stageOf(
  { spec }: VirtualMachineOperation,
  progress: Progress,
  { busy, hold }: Pick<Snapshot, 'busy' | 'hold'>,
): Stage {
  if (!isComplete(progress)) {
    const words = underWay(progress, spec.suspend, busy);
    if (!isOnHold(hold)) return { phase: 'Running', code: 'Running', message: words };
    return { phase: 'Running', code: 'SiteOnHold', message: `The site is on hold: ${words} ${HOLD_ADVICE}` };
  }
  const { targets, succeeded, cancelled } = progress;
  const message = `${succeeded.size} of ${targets.length} done${reasonsIn(progress)}.`;
  if (succeeded.size === targets.length) return { phase: 'Succeeded', code: 'Succeeded', message };
  if (cancelled.size > 0) return { phase: 'Cancelled', code: 'Cancelled', message };
  if (succeeded.size > 0) return { phase: 'PartiallySucceeded', code: 'PartiallySucceeded', message };
  const denied = progress.results.every(({ outcome }) => outcome === 'Denied');
  return { phase: denied ? 'Denied' : 'Failed', code: denied ? 'Denied' : 'Failed', message };
}

function underWay(progress: Progress, suspended: boolean, busy: ReadonlyMap<string, string>): string {
  const { targets, succeeded, failed, active } = progress;
  const waiting = waitingIn(progress);
  const parts = [
    `${succeeded.size} of ${targets.length} done`,
    ...(failed.size > 0 ? [`${failed.size} failed`] : []),
    ...(active.size > 0 ? [`${active.size} under way`] : []),
    ...(waiting.length > 0 ? [`${waiting.length} not begun`] : []),
  ];
  const blocked = waiting.find((name) => busy.has(name));
  const waits = blocked === undefined ? '' : ` ${blocked} waits for operation ${busy.get(blocked)}.`;
  return `${suspended ? 'Suspended: ' : ''}${parts.join(', ')}.${waits}`;
}

/** The first of what went wrong stands for all. */
function reasonsIn({ results, failed, cancelled }: Progress): string {
  const first = results.find(({ outcome }) => outcome !== 'Succeeded');
  if (first === undefined) return '';
  const others = failed.size + cancelled.size - 1;
  const more = others > 0 ? ` (and ${others} more, see status.results)` : '';
  return `; ${first.name}: ${first.message.replace(/\.$/, '')}${more}`;
}

function conditionsAfter({ metadata, status }: VirtualMachineOperation, stage: Stage, time: string): Condition[] {
  const { phase, code, message } = stage;
  const told = { reason: code, message: message.slice(0, 2048), observedGeneration: metadata.generation ?? 0 };
  const going = phase === 'Pending' || phase === 'Running';
  const succeeded = phase === 'Succeeded';
  const ready = setCondition(
    status?.conditions,
    { type: 'Ready', status: succeeded ? 'True' : 'False', ...told },
    time,
  );
  const finished = setCondition(ready, { type: 'Finished', status: going ? 'False' : 'True', ...told }, time);
  const reconciling = onlyWhile(finished, 'Reconciling', going);
  return [...onlyWhile(reconciling, 'Stalled', !going && !succeeded)];

  function onlyWhile(conditions: readonly Condition[], type: string, holds: boolean): readonly Condition[] {
    return holds
      ? setCondition(conditions, { type, status: 'True', ...told }, time)
      : removeCondition(conditions, type);
  }
}
