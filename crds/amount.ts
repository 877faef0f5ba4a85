// What a machine has to give and a guest takes, as numbers to add and compare.
import { parseQuantity } from './quantity.ts';
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

/** What is left of `whole` without `part`; below zero where there was less. */
export function minus(whole: Amount, part: Amount): Amount {
  return { cpus: whole.cpus - part.cpus, memoryBytes: whole.memoryBytes - part.memoryBytes };
}

export function plus(one: Amount, other: Amount): Amount {
  return { cpus: one.cpus + other.cpus, memoryBytes: one.memoryBytes + other.memoryBytes };
}
