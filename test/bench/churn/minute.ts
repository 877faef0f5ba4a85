// A minute of samples in one line.
import { mean } from '../statistics.ts';
import type { Sample } from './sample.ts';

/** The same quantities; what stands for a minute differs. */
export interface Minute extends Sample {
  /** VirtualMachine objects that there are at its end. */
  readonly machines: number;
}

/** Memory: the mean. Heap: the least, which is what was left after a collection. All else: the most that there was. */
export function minuteOf(samples: readonly Sample[], machines: number): Minute {
  const all = (quantity: keyof Sample) => samples.map((sample) => sample[quantity]);
  return {
    operatorResident: mean(all('operatorResident')),
    daemonsResident: mean(all('daemonsResident')),
    operatorHeap: Math.min(...all('operatorHeap')),
    operatorFiles: Math.max(...all('operatorFiles')),
    daemonsFiles: Math.max(...all('daemonsFiles')),
    operatorSockets: Math.max(...all('operatorSockets')),
    daemonsSockets: Math.max(...all('daemonsSockets')),
    queued: Math.max(...all('queued')),
    machines,
  };
}

const COLUMNS: readonly (readonly [string, (minute: Minute) => string])[] = [
  ['operator MiB', ({ operatorResident }) => operatorResident.toFixed(1)],
  ['its heap MiB', ({ operatorHeap }) => operatorHeap.toFixed(1)],
  ['files', ({ operatorFiles }) => String(operatorFiles)],
  ['sockets', ({ operatorSockets }) => String(operatorSockets)],
  ['queued', ({ queued }) => String(queued)],
  ['daemons MiB', ({ daemonsResident }) => daemonsResident.toFixed(1)],
  ['files', ({ daemonsFiles }) => String(daemonsFiles)],
  ['sockets', ({ daemonsSockets }) => String(daemonsSockets)],
  ['VMs', ({ machines }) => String(machines)],
];

export const HEADING = row('minute', ([title]) => title);

export function lineOf(number: number, minute: Minute): string {
  return row(String(number), ([title, text]) => text(minute).padStart(title.length));
}

function row(first: string, cell: (column: (typeof COLUMNS)[number]) => string): string {
  return [first.padStart('minute'.length), ...COLUMNS.map(cell)].join('  ');
}
