// What is asked for a guest's share of its machine, as numbers, and whether two ways of asking are the same.
import { amountOf } from './amount.ts';
import { parseCpus } from './cpu-quantity.ts';
import type { Resources } from './v1alpha1/virtual-machine-spec.ts';

/** The weight of a guest that says nothing. */
export const DEFAULT_CPU_SHARES = 1024;
/** A reserved CPU weighs as much as this many guests that say nothing: a reservation is kept by weight. */
const GUESTS_PER_RESERVED_CPU = 10;
const MOST_SHARES = 262_144;

/** How a hypervisor is to share its CPU time out. */
export interface Limits {
  /** The weight when CPUs are short, beside `DEFAULT_CPU_SHARES` of a guest that says nothing. */
  readonly cpuShares: number;
  /** Thousandths of a CPU that all its CPUs together may use; left out, as much as there is. */
  readonly cpuLimitMillis?: number;
}

export const NO_LIMITS: Limits = { cpuShares: DEFAULT_CPU_SHARES };

/** What follows from what was granted. Throws a RangeError where something is no quantity. */
export function limitsOf({ cpuShares = DEFAULT_CPU_SHARES, cpuReservation = 0, cpuLimit }: Resources): Limits {
  const reserved = (parseCpus(cpuReservation) / 1000) * DEFAULT_CPU_SHARES * GUESTS_PER_RESERVED_CPU;
  return {
    cpuShares: Math.min(Math.max(cpuShares, Math.round(reserved)), MOST_SHARES),
    ...(cpuLimit === undefined ? {} : { cpuLimitMillis: parseCpus(cpuLimit) }),
  };
}

/** Whether nothing is asked of the hypervisor that it would not do anyway. */
export function isUnlimited({ cpuShares, cpuLimitMillis }: Limits): boolean {
  return cpuShares === DEFAULT_CPU_SHARES && cpuLimitMillis === undefined;
}

/** A hypervisor counts shares in steps of its own, the coarsest of them hundredths of what a guest gets that says nothing. */
const STEP = DEFAULT_CPU_SHARES / 100;

/** Whether these are in force where those are seen. */
export function areKept(wanted: Limits, seen: Limits): boolean {
  const near = Math.abs(wanted.cpuShares - seen.cpuShares) <= STEP;
  const most = wanted.cpuShares > 100 * DEFAULT_CPU_SHARES && seen.cpuShares >= 100 * DEFAULT_CPU_SHARES;
  return (near || most) && wanted.cpuLimitMillis === seen.cpuLimitMillis;
}

/** However they are written. Throws a RangeError where something is no quantity. */
export function isSameResources(one: Resources, other: Resources): boolean {
  return JSON.stringify(inNumbers(one)) === JSON.stringify(inNumbers(other));
}

function inNumbers(resources: Resources) {
  const { cpus, memoryBytes, guaranteed } = amountOf(resources);
  const { cpuShares, cpuLimit } = resources;
  const limit = cpuLimit === undefined ? null : parseCpus(cpuLimit);
  return [cpus, memoryBytes, guaranteed?.cpuMillis ?? 0, guaranteed?.memoryBytes ?? 0, cpuShares ?? null, limit];
}
