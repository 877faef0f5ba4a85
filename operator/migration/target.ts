// Where a guest that runs can move to.
import type { Candidate, Demand } from '#operator/placement/candidate.ts';
import { type PlaceVerdict, place } from '#operator/placement/place.ts';

export type Where = PlaceVerdict | { readonly kind: 'Busy' | 'Unsuitable'; readonly message: string };

/** Pure. `busy` says which hypervisors are at as many migrations as they may be. */
export function chooseTarget(
  demand: Demand,
  source: Candidate,
  { candidates, busy }: { readonly candidates: readonly Candidate[]; readonly busy: (hypervisor: string) => boolean },
): Where {
  const others = candidates.filter(({ name }) => name !== source.name);
  if (others.length === 0) return { kind: 'Unsuitable', message: 'There is no other hypervisor.' };
  const faults = others.map((candidate) => ({ candidate, fault: faultOf(candidate, source, demand) }));
  const suitable = faults.filter(({ fault }) => fault === undefined).map(({ candidate }) => candidate);
  if (suitable.length === 0) {
    const words = faults.map(({ candidate, fault }) => `${candidate.name} ${fault}`);
    return { kind: 'Unsuitable', message: `No other hypervisor could take it: ${inWords(words)}.` };
  }
  const free = suitable.filter(({ name }) => !busy(name));
  if (free.length === 0) return { kind: 'Busy', message: 'All others are at as many migrations as they may be.' };
  return place(demand, free);
}

const MOST_WORDS = 5;

function inWords(words: readonly string[]): string {
  const more = words.length > MOST_WORDS ? `, and ${words.length - MOST_WORDS} more` : '';
  return `${words.slice(0, MOST_WORDS).join(', ')}${more}`;
}

/** Why no guest of the source, or not this one, can run on there; undefined where it can. */
function faultOf({ migration, name }: Candidate, { migration: own }: Candidate, { disks }: Demand): string | undefined {
  if (migration.address === undefined) return 'takes no guests in (--migration-address)';
  if (transportOf(migration.address) !== transportOf(own.address)) return 'is reached in another way';
  if (migration.type !== own.type) return `runs guests with ${migration.type}, not ${own.type}`;
  if (migration.architecture !== own.architecture) return `has processors of another kind (${migration.architecture})`;
  const missing = disks.find(({ pool }) => !migration.sharedPools.includes(pool));
  return missing === undefined ? undefined : `does not share the pool ${missing.pool} (${name}: --shared-pools)`;
}

function transportOf(address: string | undefined): string {
  return address?.split(':', 1)[0] ?? '';
}
