// The default placement: what fits, then what was preferred, then what is least loaded.
import { type Amount, plus } from '#crds/amount.ts';
import type { Candidate, Demand } from './candidate.ts';
import { type Fault, faultOf } from './filters.ts';

export type PlaceVerdict =
  | { readonly kind: 'Chosen'; readonly candidate: Candidate; readonly reason: string }
  | { readonly kind: 'Nowhere'; readonly code: Fault['code'] | 'NoHypervisors' | 'NoneFits'; readonly message: string };

/** Pure and deterministic: the same candidates in any order give the same verdict. */
export function place(demand: Demand, candidates: readonly Candidate[]): PlaceVerdict {
  const faults: Fault[] = [];
  let best: Ranked | undefined;
  for (const candidate of candidates) {
    const fault = faultOf(candidate, demand);
    if (fault !== undefined) {
      faults.push(fault);
      continue;
    }
    const ranked = rank(candidate, demand);
    if (best === undefined || better(ranked, best)) best = ranked;
  }
  return best === undefined
    ? nowhere(faults)
    : { kind: 'Chosen', candidate: best.candidate, reason: reasonFor(best, demand) };
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
  if (one.load !== other.load) return one.load < other.load;
  return one.candidate.name < other.candidate.name;
}

function reasonFor({ candidate, preference, load }: Ranked, { preferred }: Demand): string {
  const share = `${Math.round(load * 100)} % of it is assigned with this VM`;
  if (preference < preferred.length) return `${candidate.name} is preferred by the VM and has room: ${share}.`;
  return `${candidate.name} is the least loaded hypervisor that fits: ${share}.`;
}

function nowhere(faults: readonly Fault[]): PlaceVerdict {
  if (faults.length === 0) {
    return {
      kind: 'Nowhere',
      code: 'NoHypervisors',
      message: 'There is no hypervisor yet. Start usher-node-daemon on a machine that can run guests.',
    };
  }
  const counts = new Map<string, number>();
  for (const { text } of faults) counts.set(text, (counts.get(text) ?? 0) + 1);
  const parts = [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([text, count]) => `${count} ${text}`);
  const [first] = faults;
  const code = first !== undefined && faults.every((fault) => fault.code === first.code) ? first.code : 'NoneFits';
  const all = faults.length === 1 ? '1 hypervisor' : `${faults.length} hypervisors`;
  return { kind: 'Nowhere', code, message: `None of ${all} can take it: ${parts.join(', ')}.` };
}
