// What a machine has to give and a guest takes, as numbers to add and compare.
import { parseCpus } from './cpu-quantity.ts';
import { parseQuantity, readableQuantity } from './quantity.ts';
import type { Resources } from './v1alpha1/virtual-machine-spec.ts';

export interface Amount {
  readonly cpus: number;
  readonly memoryBytes: number;
  /** What is there whatever others do, and so cannot be overcommitted. Left out: nothing. */
  readonly guaranteed?: Guaranteed;
}

export interface Guaranteed {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
}

export const NO_AMOUNT: Amount = { cpus: 0, memoryBytes: 0 };
export const NOTHING_GUARANTEED: Guaranteed = { cpuMillis: 0, memoryBytes: 0 };

/** CPUs and memory as the API writes them. Throws a RangeError where one of them is no quantity. */
export function amountOf({ cpus, memory, cpuReservation = 0, memoryMinimum = 0 }: Resources): Amount {
  const guaranteed = { cpuMillis: parseCpus(cpuReservation), memoryBytes: parseQuantity(memoryMinimum) };
  return amount(cpus, parseQuantity(memory), guaranteed);
}

function amount(cpus: number, memoryBytes: number, guaranteed: Guaranteed): Amount {
  const { cpuMillis, memoryBytes: minimum } = guaranteed;
  return { cpus, memoryBytes, ...(cpuMillis === 0 && minimum === 0 ? {} : { guaranteed }) };
}

type Combine = (one: number, other: number) => number;

function combined(one: Amount, other: Amount, combine: Combine): Amount {
  const [a, b] = [one.guaranteed ?? NOTHING_GUARANTEED, other.guaranteed ?? NOTHING_GUARANTEED];
  return amount(combine(one.cpus, other.cpus), combine(one.memoryBytes, other.memoryBytes), {
    cpuMillis: combine(a.cpuMillis, b.cpuMillis),
    memoryBytes: combine(a.memoryBytes, b.memoryBytes),
  });
}

/** What is left of `whole` without `part`; below zero where there was less. */
export function minus(whole: Amount, part: Amount): Amount {
  return combined(whole, part, (a, b) => a - b);
}

export function plus(one: Amount, other: Amount): Amount {
  return combined(one, other, (a, b) => a + b);
}

/** Enough for either: the larger of each. */
export function larger(one: Amount, other: Amount): Amount {
  return combined(one, other, Math.max);
}

/** What there is, without the guarantees that are not wanted: nobody asks how much of them there is. */
export function inTermsOf({ guaranteed: wanted }: Amount, { cpus, memoryBytes, guaranteed }: Amount): Amount {
  if (wanted === undefined) return { cpus, memoryBytes };
  const there = guaranteed ?? NOTHING_GUARANTEED;
  const cpuMillis = wanted.cpuMillis === 0 ? 0 : there.cpuMillis;
  return {
    cpus,
    memoryBytes,
    guaranteed: { cpuMillis, memoryBytes: wanted.memoryBytes === 0 ? 0 : there.memoryBytes },
  };
}

export type Want = 'Cpus' | 'Memory' | 'ReservedCpus' | 'GuaranteedMemory';

/** What of `wanted` is more than there is; nothing of what is not wanted is missing, however little there is. */
export function wantsIn(wanted: Amount, room: Amount): Want[] {
  const [needs, has] = [wanted.guaranteed ?? NOTHING_GUARANTEED, room.guaranteed ?? NOTHING_GUARANTEED];
  const lacks = (need: number, there: number) => need > 0 && need > there;
  return [
    ...(lacks(wanted.cpus, room.cpus) ? (['Cpus'] as const) : []),
    ...(lacks(wanted.memoryBytes, room.memoryBytes) ? (['Memory'] as const) : []),
    ...(lacks(needs.cpuMillis, has.cpuMillis) ? (['ReservedCpus'] as const) : []),
    ...(lacks(needs.memoryBytes, has.memoryBytes) ? (['GuaranteedMemory'] as const) : []),
  ];
}

/** For example "2 CPUs and 1.5Gi of memory (guaranteed: 0.5 CPUs)"; less than nothing is nothing. */
export function amountInWords({ cpus, memoryBytes, guaranteed }: Amount, rounded: 'up' | 'down'): string {
  const all = `${cpusInWords(cpus)} and ${memoryInWords(memoryBytes, rounded)}`;
  return guaranteed === undefined ? all : `${all} (guaranteed: ${guaranteedInWords(guaranteed, rounded)})`;
}

function guaranteedInWords({ cpuMillis, memoryBytes }: Guaranteed, rounded: 'up' | 'down'): string {
  const memory = memoryBytes > 0 ? [memoryInWords(memoryBytes, rounded)] : [];
  const cpus = cpuMillis > 0 || memory.length === 0 ? [cpusInWords(cpuMillis / 1000)] : [];
  return [...cpus, ...memory].join(' and ');
}

function cpusInWords(cpus: number): string {
  return cpus === 1 ? '1 CPU' : `${Math.max(cpus, 0)} CPUs`;
}

function memoryInWords(bytes: number, rounded: 'up' | 'down'): string {
  return `${readableQuantity(Math.max(bytes, 0), rounded)} of memory`;
}
