import { expect } from 'chai';
import { flatness } from './flatness.ts';
import type { Minute } from './minute.ts';

const QUIET: Minute = {
  operatorResident: 120,
  operatorHeap: 25,
  operatorFiles: 40,
  operatorSockets: 20,
  queued: 3,
  daemonsResident: 150,
  daemonsFiles: 80,
  daemonsSockets: 60,
  machines: 55,
};

function minutes(count: number, change: (number: number) => Partial<Minute>): Minute[] {
  return Array.from({ length: count }, (_, number) => ({ ...QUIET, ...change(number) }));
}

describe('what came and went for a while', () => {
  it('is flat where it only wavers', () => {
    const wavering = minutes(10, (number) => ({ operatorHeap: 25 + (number % 2), queued: number % 3 }));
    expect(flatness(wavering).isFlat).to.equal(true);
  });

  it('may grow at first, while heaps find their sizes and connections are opened', () => {
    const warming = minutes(9, (number) => (number < 3 ? { operatorResident: 80, operatorSockets: 5 } : {}));
    expect(flatness(warming).isFlat).to.equal(true);
  });

  it('is not where it grows on, and the one that grew is named', () => {
    const leaking = minutes(9, (number) => ({ operatorSockets: 20 + 5 * number }));
    const { isFlat, lines } = flatness(leaking);
    expect(isFlat).to.equal(false);
    expect(lines.filter((line) => line.startsWith('GREW'))).to.deep.equal([
      'GREW  sockets of the operator: 40.0 → 55.0 sockets (up to 8 more are noise)',
    ]);
  });

  it('is not where a kilobyte of every VM is kept, in an hour', () => {
    const kept = 300 / 1024; // MiB a minute at five a second
    const leaking = minutes(60, (number) => ({ operatorHeap: 25 + kept * number }));
    expect(flatness(leaking).isFlat).to.equal(false);
  });
});
