// What the daemon remembers of a guest between two passes. Losing it on a restart costs patience, never correctness.
import type { Termination } from './termination.ts';

export interface StopInProgress {
  readonly askedAt: number;
  readonly lastAskedAt: number;
  /** What was done last. */
  readonly by: StopMeans;
  /** It stood still, and was let go on so that it hears the request: once is enough. */
  readonly resumed?: boolean;
  /** The guest was found running, and meant to run, after it had been asked: the next stop begins anew. */
  readonly withdrawn: boolean;
}

export type StopMeans =
  | { readonly kind: 'Request' }
  | { readonly kind: 'Force' }
  /** Its plug could not be pulled, `times` times in a row. */
  | { readonly kind: 'ForceFailed'; readonly times: number; readonly why: string };

export interface FailedStart {
  /** The generation that was granted: another may cure the fault, and is tried at once. */
  readonly generation: number;
  /** In a row, of this generation. */
  readonly failures: number;
  readonly failedAt: number;
  /** The hypervisor itself said no. Without an answer it may have been started all the same. */
  readonly answered: boolean;
  readonly code: string;
  readonly reason: string;
}

/** A step that could not be done, and is tried again. Starts and stops have memories of their own. */
export interface FailedStep {
  readonly kind:
    | 'Undefine'
    | 'Release'
    | 'Adopt'
    | 'Confirm'
    | 'Pause'
    | 'Resume'
    | 'Hibernate'
    | 'DiscardImage'
    | 'SetLimits';
  /** In a row. */
  readonly times: number;
  readonly failedAt: number;
  readonly why: string;
}

/** How a guest ended that may be started again under the same permission. */
export interface RememberedEnd {
  /** When it was seen first. */
  readonly at: number;
  readonly termination: Termination;
  /** Whether the status says so: until then it is told whatever the hypervisor shows later. */
  readonly told: boolean;
}

/** An operation that is done once. */
export interface OperationMemory {
  /** Of the VirtualMachineOperation. */
  readonly uid: string;
  /** Left out: it was told as Executing, by us, and was not done yet. */
  readonly outcome?: { readonly state: 'Done' | 'Failed' | 'Unknown'; readonly why: string };
}

export interface DomainMemory {
  readonly operation?: OperationMemory;
  readonly stop?: StopInProgress;
  readonly failedStart?: FailedStart;
  readonly failedStep?: FailedStep;
  /** Since when the hypervisor has not known the state of the guest. */
  readonly unknownSince?: number;
  /** Restarts after the guest ended by itself, for growing pauses between them. */
  readonly restarts: number;
  readonly ended?: RememberedEnd;
  readonly startedAt?: number;
}

export const nothingRemembered: DomainMemory = { restarts: 0 };

/** A guest that ran this long is no longer in a crash loop. */
const STABLE_MS = 600_000;

/** The guest was asked to stop, for the first time or again. */
export function rememberAsked(memory: DomainMemory, now: number): DomainMemory {
  return stopping(memory, now, { kind: 'Request' });
}

/** Its plug was pulled. */
export function rememberForced(memory: DomainMemory, now: number): DomainMemory {
  return stopping(memory, now, { kind: 'Force' });
}

/** It is about to be told as Executing. What was begun before is not begun again. */
export function rememberMarked(memory: DomainMemory, uid: string): DomainMemory {
  return memory.operation?.uid === uid ? memory : { ...memory, operation: { uid } };
}

/** It was done, or not, or nobody knows. */
export function rememberOutcome(memory: DomainMemory, uid: string, outcome: OperationMemory['outcome']): DomainMemory {
  return { ...memory, operation: { uid, ...(outcome === undefined ? {} : { outcome }) } };
}

/** Its plug could not be pulled, once more. */
export function rememberForceFailed(memory: DomainMemory, now: number, why: string): DomainMemory {
  const { by, withdrawn } = memory.stop ?? {};
  const before = by?.kind === 'ForceFailed' && withdrawn === false ? by.times : 0;
  return stopping(memory, now, { kind: 'ForceFailed', times: before + 1, why });
}

/** It was let go on, or that was tried in vain. */
export function rememberResumed(memory: DomainMemory): DomainMemory {
  return memory.stop === undefined ? memory : { ...memory, stop: { ...memory.stop, resumed: true } };
}

/** It was looked at, and the hypervisor did not know its state. */
export function rememberUnknown(memory: DomainMemory, now: number): DomainMemory {
  return memory.unknownSince === undefined ? { ...memory, unknownSince: now } : memory;
}

/** The hypervisor knew its state. */
export function rememberKnown(memory: DomainMemory): DomainMemory {
  if (memory.unknownSince === undefined) return memory;
  const { unknownSince: _over, ...rest } = memory;
  return rest;
}

function stopping(memory: DomainMemory, now: number, by: StopMeans): DomainMemory {
  const { stop } = memory;
  const before = stop === undefined || stop.withdrawn ? { askedAt: now } : stop;
  return { ...memory, stop: { ...before, lastAskedAt: now, by, withdrawn: false } };
}

/** A start that worked ends any stop and any streak of failed starts; the streak of restarts goes on. */
export function rememberStarted(memory: DomainMemory, now: number): DomainMemory {
  const { operation } = memory;
  const restarts = memory.ended === undefined ? memory.restarts : memory.restarts + 1;
  return { restarts, startedAt: now, ...(operation === undefined ? {} : { operation }) };
}

/** The hypervisor refused to start it, once more; `fault` is what is told meanwhile. */
export function rememberFailedStart(
  memory: DomainMemory,
  now: number,
  fault: Omit<FailedStart, 'failures' | 'failedAt'>,
): DomainMemory {
  const { failedStart } = memory;
  const before = failedStart?.generation === fault.generation ? failedStart.failures : 0;
  return { ...memory, failedStart: { ...fault, failures: before + 1, failedAt: now } };
}

/** This step could not be done, once more. */
export function rememberStepFailed(
  memory: DomainMemory,
  now: number,
  { kind, why }: Pick<FailedStep, 'kind' | 'why'>,
): DomainMemory {
  const before = memory.failedStep?.kind === kind ? memory.failedStep.times : 0;
  return { ...memory, failedStep: { kind, times: before + 1, failedAt: now, why } };
}

/** It could. */
export function rememberStepDone(memory: DomainMemory): DomainMemory {
  if (memory.failedStep === undefined) return memory;
  const { failedStep: _over, ...rest } = memory;
  return rest;
}

/** The guest was seen to have ended by itself: the first sight counts, and a long run clears the streak. */
export function rememberEnded(
  memory: DomainMemory,
  now: number,
  end: Pick<RememberedEnd, 'termination' | 'told'>,
): DomainMemory {
  if (memory.ended?.termination.reason === end.termination.reason) return memory;
  const wasStable = memory.startedAt === undefined || now - memory.startedAt >= STABLE_MS;
  return { ...memory, ended: { at: now, ...end }, restarts: wasStable ? 0 : memory.restarts };
}

/** The status says how it ended. */
export function rememberEndTold(memory: DomainMemory): DomainMemory {
  const { ended } = memory;
  return ended === undefined || ended.told ? memory : { ...memory, ended: { ...ended, told: true } };
}

/** Whether the end that is seen now cannot have been told: it was started since the last, or nobody could be told yet. */
export function isNewEnd({ startedAt, ended }: DomainMemory): boolean {
  return ended === undefined ? startedAt !== undefined : !ended.told;
}

/** It was told that the guest runs or stands still, as it should: no start is failing, and whoever asked it to stop has thought better. */
export function rememberRunning({ failedStart: _over, ended: _past, ...memory }: DomainMemory): DomainMemory {
  return memory.stop === undefined ? memory : { ...memory, stop: { ...memory.stop, withdrawn: true } };
}

/** It was told that the guest is off: the stop is done, and the next one begins anew. */
export function rememberOff({ stop: _done, ended: _past, ...memory }: DomainMemory): DomainMemory {
  return memory;
}

/** By the uuids of guests. */
export class Memories {
  readonly #memories = new Map<string, DomainMemory>();

  get(uuid: string): DomainMemory {
    return this.#memories.get(uuid) ?? nothingRemembered;
  }

  /** Keeps what `change` makes of what was remembered, and returns it; what stays as it was takes no room. */
  update(uuid: string, change: (memory: DomainMemory) => DomainMemory): DomainMemory {
    const before = this.get(uuid);
    const after = change(before);
    if (after !== before) this.#memories.set(uuid, after);
    return after;
  }

  forget(uuid: string): void {
    this.#memories.delete(uuid);
  }
}
