// When usage is worth a write. The API server is shared by thousands of guests: each is written at most once an
// interval, a node at most so many times a minute, and first of all where usage moved most.
import type { Usage } from '#crds/v1alpha1/fragments.ts';
import type { Random } from '#runtime/clock/clock.ts';
import { quantizeUsage, stepsBetween, usageAt } from './quantize.ts';
import type { UsageAverages } from './resources.ts';

export interface PublishLimits {
  /** No object is written twice within this; less than 60,000 is taken as 60,000. */
  readonly intervalMilliseconds: number;
  /** Added to the interval by chance, up to this share of it, so that guests started together drift apart. */
  readonly jitter: number;
  /** No more writes than this within any 60 s. */
  readonly writesPerMinute: number;
}

/** Of every daemon. */
export const USAGE_LIMITS: PublishLimits = { intervalMilliseconds: 60_000, jitter: 0.2, writesPerMinute: 30 };

export interface PublishCandidate {
  readonly key: string;
  readonly averages: UsageAverages;
  /** How many it has, where that is known. */
  readonly cpus: number | undefined;
  /** What the object shows now. */
  readonly published: Usage | undefined;
}

/** What must be remembered from one decision to the next. Times are of a clock that never goes back. */
export interface PublishLedger {
  /** When writes were decided within the last minute. */
  readonly writes: readonly number[];
  readonly entries: ReadonlyMap<string, LedgerEntry>;
}

interface LedgerEntry {
  readonly notBefore: number;
  /** Since when there is something to write and the interval is over. */
  readonly wantedSince: number | undefined;
}

export interface Publication {
  readonly key: string;
  readonly usage: Usage;
}

export interface PublishTime {
  readonly monotonic: number;
  readonly wall: number;
}

export interface PublishContext {
  readonly limits: PublishLimits;
  readonly time: PublishTime;
  readonly random: Random;
}

export const EMPTY_LEDGER: PublishLedger = { writes: [], entries: new Map() };

const MINUTE = 60_000;
/** Beyond this many steps a change is just big, so that nobody waits more than about ten times as long as another. */
const STEPS_MAX = 10;

/**
 * The writes to do now, most urgent first, and the ledger for the next decision. Urgent is who moved by many steps, and
 * who has waited for long. A write that fails afterwards is decided again after its interval: nothing was published.
 */
export function decidePublications(
  candidates: readonly PublishCandidate[],
  ledger: PublishLedger,
  context: PublishContext,
): { readonly publications: readonly Publication[]; readonly ledger: PublishLedger } {
  const { limits, time } = context;
  const writes = ledger.writes.filter((at) => time.monotonic - at < MINUTE);
  const weighed = candidates.map((candidate) => weigh(candidate, ledger.entries.get(candidate.key), context));
  const granted = weighed
    .filter(({ publication }) => publication !== undefined)
    .sort((a, b) => b.urgency - a.urgency)
    .slice(0, Math.max(0, limits.writesPerMinute - writes.length))
    .flatMap(({ publication }) => publication ?? []);
  const entries = entriesAfter(ledger.entries, { weighed, granted }, context);
  return { publications: granted, ledger: { writes: [...writes, ...granted.map(() => time.monotonic)], entries } };
}

interface Weighed {
  readonly key: string;
  readonly entry: LedgerEntry;
  readonly urgency: number;
  /** Only where there is something to write and it may be written now. */
  readonly publication?: Publication;
}

function weigh(
  { key, averages, cpus, published }: PublishCandidate,
  known: LedgerEntry | undefined,
  context: PublishContext,
): Weighed {
  const { monotonic, wall } = context.time;
  const entry = known ?? { notBefore: monotonic + heldBackBy(published, context), wantedSince: undefined };
  const quantized = quantizeUsage(published, averages);
  const steps = published === undefined ? STEPS_MAX : Math.min(STEPS_MAX, stepsBetween(published, quantized));
  if (steps === 0 || monotonic < entry.notBefore) {
    return { key, entry: { ...entry, wantedSince: undefined }, urgency: 0 };
  }
  const wantedSince = entry.wantedSince ?? monotonic;
  const urgency = steps * (1 + (monotonic - wantedSince) / intervalOf(context));
  return {
    key,
    entry: { ...entry, wantedSince },
    urgency,
    publication: { key, usage: usageAt(quantized, wall, cpus) },
  };
}

/** For how long what an earlier run of the daemon wrote holds back the next write. */
function heldBackBy(published: Usage | undefined, context: PublishContext): number {
  const age = published === undefined ? Number.NaN : context.time.wall - Date.parse(published.time);
  const interval = intervalOf(context);
  // An age below 0 means that the wall clock was set back: it says nothing.
  return age >= 0 && age < interval ? interval - age : 0;
}

function entriesAfter(
  before: PublishLedger['entries'],
  decided: { readonly weighed: readonly Weighed[]; readonly granted: readonly Publication[] },
  context: PublishContext,
): PublishLedger['entries'] {
  const { monotonic } = context.time;
  // Whoever is absent for a moment must not come back without its interval.
  const entries = new Map([...before].filter(([, { notBefore }]) => notBefore > monotonic));
  for (const { key, entry } of decided.weighed) {
    entries.set(key, entry);
  }
  for (const { key } of decided.granted) {
    const pause = intervalOf(context) * (1 + context.limits.jitter * context.random());
    entries.set(key, { notBefore: monotonic + pause, wantedSince: undefined });
  }
  return entries;
}

function intervalOf({ limits }: PublishContext): number {
  return Math.max(MINUTE, limits.intervalMilliseconds);
}
