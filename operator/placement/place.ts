// The default placement: what fits, then what was preferred, then where starts do not fail, then what is least loaded.
import { type Amount, plus } from '#crds/amount.ts';
import { readableQuantity } from '#crds/quantity.ts';
import type { Candidate, Demand } from './candidate.ts';
import { faultsOf } from './filters.ts';
import { type Nowhere, nowhere, type Rejected } from './nowhere.ts';

export type PlaceVerdict =
  | {
      readonly kind: 'Chosen';
      readonly candidate: Candidate;
      /** How many others fit. */
      readonly alternatives: number;
      readonly reason: string;
    }
  | ({ readonly kind: 'Nowhere' } & Nowhere);

/** Pure and deterministic: the same candidates in any order give the same verdict. */
export function place(demand: Demand, candidates: readonly Candidate[]): PlaceVerdict {
  const rejected: Rejected[] = [];
  const passedOver: string[] = [];
  let best: Ranked | undefined;
  for (const candidate of candidates) {
    const faults = faultsOf(candidate, demand);
    if (faults.length > 0) {
      rejected.push({ candidate, faults });
      continue;
    }
    if (candidate.startsFail) passedOver.push(candidate.name);
    const ranked = rank(candidate, demand);
    if (best === undefined || better(ranked, best)) best = ranked;
  }
  if (best === undefined) return { kind: 'Nowhere', ...nowhere(rejected, demand) };
  const fitting = candidates.length - rejected.length;
  const aside = best.candidate.startsFail ? '' : passedOverInWords(passedOver);
  const reason = `${reasonFor(best, demand, fitting)}${aside}`;
  return { kind: 'Chosen', candidate: best.candidate, alternatives: fitting - 1, reason };
}

interface Ranked {
  readonly candidate: Candidate;
  /** Position in the VM's preferences; those not preferred come after all that are. */
  readonly preference: number;
  /** Share of the scarcer resource in use once the VM is there, 0 to 1. */
  readonly load: number;
}

function rank(candidate: Candidate, { amount, preferred }: Demand): Ranked {
  const position = preferred.indexOf(candidate.name);
  return { candidate, preference: position < 0 ? preferred.length : position, load: loadWith(candidate, amount) };
}

function loadWith(candidate: Candidate, amount: Amount): number {
  const { allocatable, assigned } = candidate;
  const { cpus, memoryBytes } = plus(assigned, amount);
  return Math.max(cpus / allocatable.cpus, memoryBytes / allocatable.memoryBytes);
}

function better(one: Ranked, other: Ranked): boolean {
  if (one.preference !== other.preference) return one.preference < other.preference;
  if (one.candidate.startsFail !== other.candidate.startsFail) return other.candidate.startsFail;
  if (one.load !== other.load) return one.load < other.load;
  return one.candidate.name < other.candidate.name;
}

function reasonFor({ candidate, preference }: Ranked, { amount, preferred }: Demand, fitting: number): string {
  const { name } = candidate;
  const given = `with this VM ${assignedWith(candidate, amount)} are assigned.`;
  if (preference < preferred.length) return `${name} is preferred by the VM and has room; ${given}`;
  if (fitting === 1) return `${name} is the only hypervisor that fits; ${given}`;
  return `${name} has the most room of ${fitting} hypervisors that fit; ${given}`;
}

function passedOverInWords(names: readonly string[]): string {
  if (names.length === 0) return '';
  const [first = ''] = names.toSorted();
  const others = names.length > 1 ? ` and ${names.length - 1} more` : '';
  return ` Passed over, as a guest failed to start there a moment ago: ${first}${others}.`;
}

/** Both rounded up, so that what is assigned never looks like more than there is. */
function assignedWith({ allocatable, assigned }: Candidate, amount: Amount): string {
  const { cpus, memoryBytes } = plus(assigned, amount);
  const [given, all] = [readableQuantity(memoryBytes, 'up'), readableQuantity(allocatable.memoryBytes, 'up')];
  return `${cpus} of ${allocatable.cpus} CPUs and ${given} of ${all} memory`;
}
