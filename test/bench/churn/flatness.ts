// Whether it is flat: the last third of the minutes beside the one before. The first third is left out: in it code is
// compiled, connections are opened and the heaps find their sizes.
import { mean } from '../statistics.ts';
import type { Minute } from './minute.ts';

interface Course {
  readonly title: string;
  readonly unit: string;
  readonly tolerance: number;
}

/**
 * How much more the last third may have. In ten minutes a third is 900 VMs, in an hour 6,000.
 *
 * - Heap, after collections: the thirds of runs without a leak differed by 1.2 MiB. 4 MiB are 5 KiB kept of each VM in ten
 *   minutes, 0.7 KiB in an hour.
 * - Memory as the kernel counts it hardly ever shrinks, so it keeps the mark of the highest wave: in a run of 24 minutes it
 *   stood still for minutes, then rose by 13 MiB with one wave. It would show what is kept outside the heap.
 * - Connections are pooled, and there are as many as were needed at once lately. One kept for each VM would be 900.
 * - Keys wait, and VMs with them, when the machine is busy with something else. Those that are never done would add up.
 */
const COURSES: Readonly<Record<keyof Minute, Course>> = {
  operatorHeap: { title: 'heap of the operator', unit: 'MiB', tolerance: 4 },
  operatorResident: { title: 'memory of the operator', unit: 'MiB', tolerance: 24 },
  operatorFiles: { title: 'open files of the operator', unit: 'files', tolerance: 8 },
  operatorSockets: { title: 'sockets of the operator', unit: 'sockets', tolerance: 8 },
  queued: { title: 'keys in the queues of the operator', unit: 'keys', tolerance: 20 },
  daemonsResident: { title: 'memory of the daemons', unit: 'MiB', tolerance: 24 },
  daemonsFiles: { title: 'open files of the daemons', unit: 'files', tolerance: 20 },
  daemonsSockets: { title: 'sockets of the daemons', unit: 'sockets', tolerance: 20 },
  machines: { title: 'VirtualMachines', unit: 'objects', tolerance: 20 },
};

/** A sentence for each quantity, and whether all of them are flat. */
export function flatness(minutes: readonly Minute[]): { readonly isFlat: boolean; readonly lines: readonly string[] } {
  const third = Math.floor(minutes.length / 3);
  const [before, last] = [minutes.slice(-2 * third, -third), minutes.slice(-third)];
  const judged = (Object.keys(COURSES) as (keyof Minute)[]).map((quantity) => {
    const [was, is] = [before, last].map((part) => mean(part.map((minute) => minute[quantity])));
    return judge(COURSES[quantity], was ?? 0, is ?? 0);
  });
  return { isFlat: judged.every(({ isFlat }) => isFlat), lines: judged.map(({ line }) => line) };
}

function judge({ title, unit, tolerance }: Course, was: number, is: number) {
  const isFlat = is - was <= tolerance;
  const change = `${was.toFixed(1)} → ${is.toFixed(1)} ${unit}`;
  return { isFlat, line: `${isFlat ? 'flat ' : 'GREW '} ${title}: ${change} (up to ${tolerance} more are noise)` };
}
