// What a machine has, and what of it may be given to guests.
import { type Amount, type Guaranteed, minus, NOTHING_GUARANTEED } from '#crds/amount.ts';
import { gibibytes } from '#crds/quantity.ts';
import type { HypervisorSpec, HypervisorStatus } from '#crds/v1alpha1/hypervisor.ts';

const MEBIBYTE = 2 ** 20;
/** Free memory is shown in steps of this share of the machine, or the power of two below. */
const FREE_MEMORY_STEPS = 64;
const SMALLEST_FREE_MEMORY_STEP = 64 * MEBIBYTE;

/**
 * (capacity − reserved) × overcommit, rounded down to whole CPUs and mebibytes; never below 0. Where the spec does not
 * speak of overcommit there is none.
 */
export function allocatableOf(capacity: Amount, reserved: Amount, overcommit: HypervisorSpec['overcommit']): Amount {
  const share = (whole: number, taken: number, percent = 100): number =>
    Math.floor((Math.max(0, whole - taken) * percent) / 100);
  return {
    cpus: share(capacity.cpus, reserved.cpus, overcommit?.cpuPercent),
    memoryBytes: wholeMebibytes(share(capacity.memoryBytes, reserved.memoryBytes, overcommit?.memoryPercent)),
    guaranteed: {
      cpuMillis: share(capacity.cpus, reserved.cpus) * 1000,
      memoryBytes: wholeMebibytes(share(capacity.memoryBytes, reserved.memoryBytes)),
    },
  };
}

/** What is left of an amount; never below 0. */
export function less(amount: Amount, taken: Amount): Amount {
  const { cpus, memoryBytes, guaranteed } = minus(amount, taken);
  return {
    cpus: Math.max(0, cpus),
    memoryBytes: Math.max(0, memoryBytes),
    ...(guaranteed === undefined ? {} : { guaranteed: atLeastNothing(guaranteed) }),
  };
}

function atLeastNothing({ cpuMillis, memoryBytes }: Guaranteed): Guaranteed {
  return { cpuMillis: Math.max(0, cpuMillis), memoryBytes: Math.max(0, memoryBytes) };
}

/**
 * What unmanaged guests leave. Of what may be guaranteed they take all their memory, which nobody can take from them;
 * CPU time they have with everybody else.
 */
export function besideUnmanaged(allocatable: Amount, { cpus, memoryBytes }: Amount): Amount {
  return less(allocatable, { cpus, memoryBytes, guaranteed: { cpuMillis: 0, memoryBytes } });
}

/** What may be guaranteed, as the API writes it: whole CPUs, rounded down. */
export function guaranteeableStatus({
  guaranteed = NOTHING_GUARANTEED,
}: Amount): HypervisorStatus['guaranteeable'] & {} {
  const { cpuMillis, memoryBytes } = guaranteed;
  return { cpus: Math.floor(cpuMillis / 1000), memory: gibibytes(memoryBytes) };
}

/** An amount as the API writes it, so that people can compare it with others. */
export function amountStatus({ cpus, memoryBytes }: Amount): NonNullable<HypervisorStatus['capacity']> {
  return { cpus, memory: gibibytes(memoryBytes) };
}

/**
 * Free memory rounded down to about 1/64 of the machine, in bytes. `held` is what was said before: it stands as long as
 * free memory stays within it by half a step either way, so that a page cache at work causes no writes.
 */
export function quantizedFreeMemory(held: number | undefined, freeBytes: number, memoryBytes: number): number {
  const share = Math.max(1, memoryBytes / FREE_MEMORY_STEPS);
  const step = Math.max(SMALLEST_FREE_MEMORY_STEP, 2 ** Math.floor(Math.log2(share)));
  if (held !== undefined && held - step / 2 <= freeBytes && freeBytes < held + 1.5 * step) {
    return held;
  }
  return Math.floor(freeBytes / step) * step;
}

function wholeMebibytes(bytes: number): number {
  return Math.floor(bytes / MEBIBYTE) * MEBIBYTE;
}
