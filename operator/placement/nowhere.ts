// What is said where no hypervisor can take a VM: how many have which faults, and how much would fit.
import { type Amount, amountInWords, inTermsOf } from '#crds/amount.ts';
import { type Candidate, type Demand, free } from './candidate.ts';
import { type Fault, isTooSmall } from './filters.ts';

export interface Rejected {
  readonly candidate: Candidate;
  /** At least one. */
  readonly faults: readonly Fault[];
}

export interface Nowhere {
  /** A fault that all hypervisors have, if there is one. */
  readonly code: Fault['code'] | 'NoHypervisors' | 'NoneFits';
  readonly message: string;
}

/** Pure; the same in whatever order the hypervisors come. */
export function nowhere(rejected: readonly Rejected[], demand: Demand): Nowhere {
  if (rejected.length === 0) {
    const message = 'There is no hypervisor yet. Start usher-node-daemon on a machine that can run guests.';
    return { code: 'NoHypervisors', message };
  }
  const all = rejected.length === 1 ? '1 hypervisor' : `${rejected.length} hypervisors`;
  const message = `None of ${all} can take it: ${faultsInWords(rejected)}.${mostRoom(rejected, demand)}`;
  return { code: commonCode(rejected), message };
}

function commonCode([first, ...others]: readonly Rejected[]): Nowhere['code'] {
  const common = first?.faults.find(({ code }) =>
    others.every(({ faults }) => faults.some((fault) => fault.code === code)),
  );
  return common?.code ?? 'NoneFits';
}

/** Each hypervisor is counted once, with all its faults. */
function faultsInWords(rejected: readonly Rejected[]): string {
  const counts = new Map<string, number>();
  for (const { faults } of rejected) {
    const words = faults.map(({ text }) => text).join(' and ');
    counts.set(words, (counts.get(words) ?? 0) + 1);
  }
  const parts = [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return parts.map(([words, count]) => `${count} ${words}`).join(', ');
}

/** So that a person knows what would fit; nothing where no hypervisor is open for the VM. */
function mostRoom(rejected: readonly Rejected[], demand: Demand): string {
  const open = rejected.filter(({ faults }) => isTooSmall(faults)).map(({ candidate }) => candidate);
  const [nearest] = open.toSorted((one, other) => byRoom(one, other, demand.amount));
  if (nearest === undefined) return '';
  return ` The most room is on ${nearest.name}: ${amountInWords(inTermsOf(demand.amount, free(nearest)), 'down')} are free.`;
}

/** First whoever could give the larger part of what is wanted, by what is scarcer there. */
function byRoom(one: Candidate, other: Candidate, wanted: Amount): number {
  const [[low, high], [otherLow, otherHigh]] = [sharesOf(one, wanted), sharesOf(other, wanted)];
  return otherLow - low || otherHigh - high || (one.name < other.name ? -1 : 1);
}

function sharesOf(candidate: Candidate, wanted: Amount): [number, number] {
  const { cpus, memoryBytes } = free(candidate);
  const shares = [cpus / wanted.cpus, memoryBytes / wanted.memoryBytes].map((share) => Math.min(Math.max(share, 0), 1));
  return [Math.min(...shares), Math.max(...shares)];
}
