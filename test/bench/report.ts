// What build/bench.json holds: the figures, and what is to be known of the run that they are of.
import type { Figure } from './figures.ts';

export interface BenchMachine {
  readonly cpus: number;
  readonly cpu: string;
  readonly memoryGiB: number;
  readonly node: string;
}

export interface BenchReport {
  readonly began: string;
  readonly seconds: number;
  /** Of each measurement, in seconds. Some ran beside each other. */
  readonly took: Readonly<Record<string, number>>;
  readonly commit: string;
  readonly machine: BenchMachine;
  /** The measurements that could not be made. */
  readonly failed: readonly string[];
  readonly figures: readonly Figure[];
}

/** How long it took, in all and in parts, and on what. */
export function timesOf({ seconds, took, machine }: BenchReport): string {
  const { cpus, cpu, memoryGiB, node } = machine;
  const parts = Object.entries(took).map(([name, each]) => `${name} ${each} s`);
  const where = `${cpus} CPUs (${cpu}), ${memoryGiB} GiB, Node ${node.replace(/^v/, '')}`;
  const each = parts.length === 0 ? '' : `: ${parts.join(', ')};`;
  return `took ${Math.floor(seconds / 60)} min ${seconds % 60} s${each} on ${where}`;
}
