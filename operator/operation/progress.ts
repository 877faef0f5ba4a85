// How far an operation is: every target in exactly one state, so that nothing can be counted twice. A value: the
// functions give a new one.

import { namesIn } from '#crds/set/ranges.ts';
import { limits } from '#crds/v1alpha1/limits.ts';
import type { OperationResult, OperationStatus } from '#crds/v1alpha1/operation-status.ts';

export interface Progress {
  /** RFC 3339. */
  readonly startTime: string;
  /** In the order in which they are begun. */
  readonly targets: readonly string[];
  readonly targetSet: ReadonlySet<string>;
  readonly succeeded: ReadonlySet<string>;
  readonly failed: ReadonlySet<string>;
  readonly cancelled: ReadonlySet<string>;
  /** Name → when it was begun, RFC 3339. */
  readonly active: ReadonlyMap<string, string>;
  readonly results: readonly OperationResult[];
}

/** As it was written last; undefined where the targets were not found yet. */
export function progressOf(status: OperationStatus | undefined): Progress | undefined {
  if (status?.startTime === undefined) return undefined;
  const named = (ranges: readonly string[] = []) => new Set(namesIn(ranges));
  return {
    ...beginning(status.startTime, namesIn(status.targets ?? [])),
    succeeded: named(status.succeeded),
    failed: named(status.failed),
    cancelled: named(status.cancelled),
    active: new Map((status.active ?? []).map(({ name, startTime }) => [name, startTime])),
    results: status.results ?? [],
  };
}

/** Nothing was done yet. */
export function beginning(startTime: string, targets: readonly string[]): Progress {
  const none = new Set<string>();
  return {
    startTime,
    targets,
    targetSet: new Set(targets),
    succeeded: none,
    failed: none,
    cancelled: none,
    active: new Map(),
    results: [],
  };
}

export function isSettled({ succeeded, failed, cancelled }: Progress, name: string): boolean {
  return succeeded.has(name) || failed.has(name) || cancelled.has(name);
}

/** Targets that were not begun, in their order. */
export function waitingIn(progress: Progress): string[] {
  return progress.targets.filter((name) => !progress.active.has(name) && !isSettled(progress, name));
}

export function isComplete(progress: Progress): boolean {
  return progress.targets.every((name) => isSettled(progress, name));
}

/** This target is under way from now on. */
export function begun(progress: Progress, name: string, time: string): Progress {
  return { ...progress, active: new Map([...progress.active, [name, time]]) };
}

/** This target is done with. One that was settled before stays as it was. */
export function settled(progress: Progress, result: OperationResult): Progress {
  const { name, outcome } = result;
  if (isSettled(progress, name)) return progress;
  const active = new Map(progress.active);
  active.delete(name);
  const into = (names: ReadonlySet<string>, belongs: boolean) => (belongs ? new Set([...names, name]) : names);
  return {
    ...progress,
    active,
    succeeded: into(progress.succeeded, outcome === 'Succeeded'),
    cancelled: into(progress.cancelled, outcome === 'Cancelled'),
    failed: into(progress.failed, outcome !== 'Succeeded' && outcome !== 'Cancelled'),
    results: remembered(progress.results, result),
  };
}

/** The latest, where there are too many; but no success takes the place of anything else. */
function remembered(results: readonly OperationResult[], result: OperationResult): readonly OperationResult[] {
  if (results.length < limits.results) return [...results, result];
  const success = results.findIndex(({ outcome }) => outcome === 'Succeeded');
  if (success < 0) return results;
  return [...results.slice(0, success), ...results.slice(success + 1), result];
}
