// What is done about a hypervisor that fell silent and has VMs that are to be started elsewhere: wait, fence it, or take
// its Lease with a proof that they are dead. Pure. protocol: lost, and proof of death.
import { type GuardPromise, provenAfterMs } from '#crds/derive/guard-promise.ts';
import type { Proof } from '#crds/v1alpha1/virtual-machine-status.ts';
import type { Memory } from './takeovers.ts';

export interface WaitingMachine {
  readonly timeoutMs: number;
  readonly guarded: boolean;
}

/** The heartbeat Lease as the operator's watch has it. */
export type LeaseView =
  | { readonly kind: 'Missing' }
  | { readonly kind: 'Theirs'; readonly renewal: string; readonly promise: GuardPromise | undefined }
  /** Taken by an operator with this proof; no daemon has taken it back since. */
  | { readonly kind: 'Taken'; readonly renewal: string; readonly proof: Proof | undefined };

export interface Snapshot {
  readonly hypervisor: string;
  /** By our own clock; undefined while it is heard, or nobody has listened for long enough. */
  readonly silentForMs: number | undefined;
  /** Where it was told silent before we began to listen: in how many milliseconds we may say so ourselves. */
  readonly silentInMs: number | undefined;
  /** VMs that it holds and that are to be started elsewhere. */
  readonly waiting: readonly WaitingMachine[];
  /** How many hypervisors are silent, and of how many. */
  readonly silent: number;
  readonly known: number;
  /** More of them at once, and the fault is taken for one of the network or of the site. */
  readonly mostSilentPercent: number;
  readonly lease: LeaseView;
  readonly canFence: boolean;
  readonly memory: Memory;
  /** Monotonic milliseconds. */
  readonly now: number;
}

export type TakeoverPlan =
  /** There is nothing to be done, and nothing to be remembered. */
  | { readonly kind: 'Nothing'; readonly again?: number }
  /** Nothing is said while nothing has been tried. */
  | { readonly kind: 'Wait'; readonly why?: string; readonly again?: number }
  /** All that could be was placed: its daemon may come back at once. */
  | { readonly kind: 'Release'; readonly renewal: string }
  | { readonly kind: 'Fence'; readonly reason: string }
  /** Takes the Lease, so that its daemon cannot begin anew, if it is still the one that was judged. */
  | { readonly kind: 'Take'; readonly renewal: string; readonly proof: Proof }
  /** Proven already: VMs are being placed. */
  | { readonly kind: 'Go'; readonly again: number };

/** How long a Lease that was taken lasts, and for how long of it VMs are placed: what is left is for writes on their way. */
export const TAKEN_SECONDS = 120;
export const PROVEN_MS = 60_000;
/** Until what could not be placed is tried again: meanwhile the machine may come back. */
const REST_MS = 600_000;
const FENCE_AGAIN_MS = 60_000;

export function planTakeover(snapshot: Snapshot): TakeoverPlan {
  const { silentForMs, waiting, memory, now } = snapshot;
  if (silentForMs === undefined || waiting.length === 0) return nothingToDo(snapshot);
  const due = waiting.filter(({ timeoutMs }) => timeoutMs <= silentForMs);
  if (due.length === 0) {
    const again = Math.min(...waiting.map(({ timeoutMs }) => timeoutMs)) - silentForMs;
    return { kind: 'Wait', again };
  }
  const { recovery, provenAt } = memory;
  if (recovery?.kind === 'Proven' && now < recovery.until) return { kind: 'Go', again: recovery.until - now };
  const rest = provenAt === undefined ? 0 : provenAt + REST_MS - now;
  if (rest > 0) return { kind: 'Wait', why: 'nobody could take it; it is tried again.', again: rest };
  return siteIsSilent(snapshot) ?? seekProof(snapshot, due, silentForMs);
}

/**
 * Whoever no longer waits was placed, or changed: writes that are still on their way carry a resourceVersion that has
 * passed, and can place nobody.
 */
function nothingToDo({ waiting, lease, silentInMs }: Snapshot): TakeoverPlan {
  if (waiting.length === 0 && lease.kind === 'Taken') return { kind: 'Release', renewal: lease.renewal };
  return waiting.length > 0 && silentInMs !== undefined ? { kind: 'Nothing', again: silentInMs } : { kind: 'Nothing' };
}

/** When most of them are silent, they are hardly all dead. */
function siteIsSilent({ silent, known, mostSilentPercent }: Snapshot): TakeoverPlan | undefined {
  if (silent * 100 <= known * mostSilentPercent) return undefined;
  const why = `${silent} of ${known} hypervisors are silent at once, more than ${mostSilentPercent} %: the fault is hardly theirs, and nothing is taken over.`;
  return { kind: 'Wait', why };
}

function seekProof(snapshot: Snapshot, due: readonly WaitingMachine[], silentForMs: number): TakeoverPlan {
  const { hypervisor, lease } = snapshot;
  if (lease.kind === 'Missing') return { kind: 'Wait', why: `the heartbeat Lease of ${hypervisor} was deleted.` };
  if (lease.kind === 'Taken' && lease.proof !== undefined)
    return { kind: 'Take', renewal: lease.renewal, proof: lease.proof };
  const promise = lease.kind === 'Theirs' && due.some(({ guarded }) => guarded) ? lease.promise : undefined;
  const left = promise === undefined ? undefined : provenAfterMs(promise) - silentForMs;
  if (promise !== undefined && left !== undefined && left <= 0) {
    const message =
      `The guard of ${hypervisor} has stopped it: it was to begin ${promise.deadlineSeconds} s after the last ` +
      `heartbeat and to be done within ${promise.killSeconds} s.`;
    return { kind: 'Take', renewal: lease.renewal, proof: { kind: 'Guard', hypervisor, message } };
  }
  return fence(snapshot, lease.renewal) ?? unproven(snapshot, left);
}

function fence({ hypervisor, canFence, memory, now }: Snapshot, renewal: string): TakeoverPlan | undefined {
  if (!canFence) return undefined;
  const known = memory.fenced?.after === renewal ? memory.fenced : undefined;
  if (known === undefined)
    return { kind: 'Fence', reason: `${hypervisor} fell silent, and VMs of it are to be started elsewhere.` };
  if (known.outcome.kind === 'Fenced')
    return { kind: 'Take', renewal, proof: { kind: 'Fenced', hypervisor, message: known.outcome.message } };
  const again = known.at + FENCE_AGAIN_MS - now;
  if (again <= 0) return { kind: 'Fence', reason: `Fencing ${hypervisor} failed: ${known.outcome.why}` };
  return { kind: 'Wait', why: `fencing ${hypervisor} failed, and is tried again: ${known.outcome.why}`, again };
}

function unproven({ hypervisor, canFence }: Snapshot, left: number | undefined): TakeoverPlan {
  if (left !== undefined)
    return { kind: 'Wait', why: `the guard of ${hypervisor} is given the time to stop it.`, again: left };
  const fencing = canFence ? '' : ', and this site has no fencing';
  return { kind: 'Wait', why: `no guard of ${hypervisor} had promised to stop it${fencing}.` };
}
