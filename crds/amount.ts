// What a machine has to give and a guest takes, as numbers to add and compare.
import { parseQuantity, readableQuantity } from './quantity.ts';
import type { Resources } from './v1alpha1/virtual-machine-spec.ts';

export interface Amount {
  readonly cpus: number;
  readonly memoryBytes: number;
}

export const NO_AMOUNT: Amount = { cpus: 0, memoryBytes: 0 };

/** CPUs and memory as the API writes them. Throws a RangeError where the memory is no quantity. */
export function amountOf({ cpus, memory }: Resources): Amount {
  return { cpus, memoryBytes: parseQuantity(memory) };
}

/** Whether it is the same amount, however it is written. Throws a RangeError where the memory of one is no quantity. */
export function isSameAmount(one: Resources, other: Resources): boolean {
  const [{ cpus, memoryBytes }, amount] = [amountOf(one), amountOf(other)];
  return cpus === amount.cpus && memoryBytes === amount.memoryBytes;
}

/** What is left of `whole` without `part`; below zero where there was less. */
export function minus(whole: Amount, part: Amount): Amount {
  return { cpus: whole.cpus - part.cpus, memoryBytes: whole.memoryBytes - part.memoryBytes };
}

export function plus(one: Amount, other: Amount): Amount {
  return { cpus: one.cpus + other.cpus, memoryBytes: one.memoryBytes + other.memoryBytes };
}

/** Enough for either: the larger of each. */
export function larger(one: Amount, other: Amount): Amount {
  return { cpus: Math.max(one.cpus, other.cpus), memoryBytes: Math.max(one.memoryBytes, other.memoryBytes) };
}

/** For example "2 CPUs and 1.5Gi of memory"; less than nothing is nothing. */
export function amountInWords({ cpus, memoryBytes }: Amount, rounded: 'up' | 'down'): string {
  const memory = readableQuantity(Math.max(memoryBytes, 0), rounded);
  return `${cpus === 1 ? '1 CPU' : `${Math.max(cpus, 0)} CPUs`} and ${memory} of memory`;
}
