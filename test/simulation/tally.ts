// What must hold of what is told of operations, at every write: each target is counted exactly once, what was settled
// stays as it is, the list of targets is never another one, and no more is written than was promised.
import { namesIn } from '#crds/set/ranges.ts';
import type { OperationStatus } from '#crds/v1alpha1/operation-status.ts';
import type { VirtualMachineOperation } from '#crds/v1alpha1/virtual-machine-operation.ts';
import type { AdmissionRequest } from '#runtime/kube/memory/kind-model.ts';

/** Between two writes that tell how far it is; the beginning and the end are told at once. */
const INTERVAL_MS = 2000;

const settledFields = ['succeeded', 'failed', 'cancelled'] as const;

/** A write whose answer is lost is made again at once, and so many answers may be lost in a row. */
const LOST_ANSWERS = 3;

export class Tally {
  readonly #report: (fault: string) => void;
  readonly #now: () => number;
  readonly #told = new Map<string, number>();
  /** How often in a row one was written to again too early. */
  readonly #early = new Map<string, number>();

  constructor(report: (fault: string) => void, now: () => number) {
    this.#report = report;
    this.#now = now;
  }

  /** Before an operation is stored. */
  wrote(
    { metadata, status = {}, spec }: VirtualMachineOperation,
    request: AdmissionRequest<VirtualMachineOperation>,
  ): void {
    if (request.subresource !== 'status' || request.verb === 'delete') return;
    const report = (fault: string) => this.#report(`${metadata.name}: ${fault}`);
    const before = request.old?.status ?? {};
    if (before.completionTime !== undefined) report('it was written to after it had ended');
    for (const fault of countFaults(status, spec.parallelism)) report(fault);
    for (const fault of changeFaults(before, status)) report(fault);
    const last = this.#told.get(metadata.uid) ?? Number.NEGATIVE_INFINITY;
    const isEarly = before.phase === status.phase && this.#now() - last < INTERVAL_MS && status.phase === 'Running';
    const early = isEarly ? (this.#early.get(metadata.uid) ?? 0) + 1 : 0;
    this.#early.set(metadata.uid, early);
    if (early > LOST_ANSWERS) report(`it was written to again after ${this.#now() - last} ms`);
    this.#told.set(metadata.uid, this.#now());
  }
}

function countFaults(status: OperationStatus, parallelism: number): string[] {
  const { counts, targets = [], active = [] } = status;
  if (counts === undefined) return [];
  const settled = settledFields.flatMap((field) => namesIn(status[field] ?? []));
  const names = [...settled, ...active.map(({ name }) => name)];
  const all = new Set(namesIn(targets));
  const sum = counts.succeeded + counts.failed + counts.cancelled + counts.active + counts.waiting;
  return [
    ...(new Set(names).size === names.length ? [] : ['a target was counted twice']),
    ...(names.every((name) => all.has(name)) ? [] : ['something was counted that is no target']),
    ...(sum === counts.total && counts.total === all.size ? [] : [`${sum} of ${counts.total} are counted`]),
    ...settledFields
      .filter((field) => counts[field] !== namesIn(status[field] ?? []).length)
      .map((field) => `${field} are not those that are counted`),
    ...(active.length <= parallelism ? [] : [`${active.length} are under way at a time`]),
  ];
}

function changeFaults(before: OperationStatus, after: OperationStatus): string[] {
  const lost = settledFields.filter((field) => {
    const now = new Set(namesIn(after[field] ?? []));
    return !namesIn(before[field] ?? []).every((name) => now.has(name));
  });
  const sameTargets = before.targets === undefined || before.targets.join() === after.targets?.join();
  return [
    ...lost.map((field) => `what was ${field} is so no more`),
    ...(sameTargets ? [] : ['its targets are others than before']),
  ];
}
