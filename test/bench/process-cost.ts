// What a process costs, as the kernel counts it.
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Turns } from './turns.ts';

export interface ProcessCost {
  /** MiB in memory, with the program's own text and libraries (VmRSS). */
  readonly resident: number;
  /** Seconds of processor time since its start. */
  readonly cpuSeconds: number;
}

/** Linux counts processor time for programs in hundredths of a second, whatever the kernel does inside. */
const TICKS_PER_SECOND = 100;

export async function processCost(pid: number): Promise<ProcessCost> {
  const [status, stat] = await Promise.all([
    readFile(`/proc/${pid}/status`, 'utf8'),
    readFile(`/proc/${pid}/stat`, 'utf8'),
  ]);
  // The name, in brackets, may hold anything; fields 14 and 15 of the line are utime and stime.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  return {
    resident: mebibytes(status, 'VmRSS'),
    cpuSeconds: ticks / TICKS_PER_SECOND,
  };
}

export interface RestingCost {
  /** Of one CPU. */
  readonly cpuPercent: number;
  /** MiB, at the end. */
  readonly resident: number;
}

const MEASURED_MS = 60_000;

/** Over a minute in which nobody works, once it had so long to settle. */
export async function restingCost(turns: Turns, pid: number, settleMs: number): Promise<RestingCost> {
  await delay(settleMs);
  const [before, after] = await turns.during('Rest', async () => {
    const begun = await processCost(pid);
    await delay(MEASURED_MS);
    return [begun, await processCost(pid)];
  });
  const busyMs = 1000 * (after.cpuSeconds - before.cpuSeconds);
  return { cpuPercent: (100 * busyMs) / MEASURED_MS, resident: after.resident };
}

function mebibytes(status: string, field: string): number {
  const kibibytes = new RegExp(`^${field}:\\s*([0-9]+) kB$`, 'm').exec(status)?.[1];
  if (kibibytes === undefined) throw new Error(`/proc/<pid>/status has no ${field}`);
  return Math.round(Number(kibibytes) / 1024);
}
