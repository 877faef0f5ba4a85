import { expect } from 'chai';
import fc from 'fast-check';
import { allocatableOf, amountStatus, besideUnmanaged, guaranteeableStatus, quantizedFreeMemory } from './capacity.ts';

const GIBIBYTE = 2 ** 30;
const machine = { cpus: 16, memoryBytes: 64 * GIBIBYTE };
const reserved = { cpus: 1, memoryBytes: 4 * GIBIBYTE };

describe('what is allocatable', () => {
  for (const [what, overcommit, expected] of [
    ['is the machine less what it keeps for itself, where nothing is said', undefined, [15, 60 * GIBIBYTE]],
    ['is multiplied by the overcommit', { cpuPercent: 400, memoryPercent: 150 }, [60, 90 * GIBIBYTE]],
    ['is rounded down', { cpuPercent: 110, memoryPercent: 100 }, [16, 60 * GIBIBYTE]],
  ] as const) {
    it(what, () => {
      const { cpus, memoryBytes } = allocatableOf(machine, reserved, overcommit);
      expect([cpus, memoryBytes]).to.deep.equal(expected);
    });
  }

  it('is nothing where the machine keeps more than it has', () => {
    const all = allocatableOf(machine, { cpus: 99, memoryBytes: 99 * GIBIBYTE }, undefined);
    expect(all).to.deep.equal({ cpus: 0, memoryBytes: 0, guaranteed: { cpuMillis: 0, memoryBytes: 0 } });
  });

  it('is guaranteed no further than what the machine has, whatever the overcommit', () => {
    const { guaranteed } = allocatableOf(machine, reserved, { cpuPercent: 400, memoryPercent: 150 });
    expect(guaranteed).to.deep.equal({ cpuMillis: 15_000, memoryBytes: 60 * GIBIBYTE });
  });

  it('leaves to unmanaged guests what they hold, and all their memory for good', () => {
    const all = allocatableOf(machine, reserved, { cpuPercent: 400, memoryPercent: 150 });
    expect(besideUnmanaged(all, { cpus: 4, memoryBytes: 8 * GIBIBYTE })).to.deep.equal({
      cpus: 56,
      memoryBytes: 82 * GIBIBYTE,
      guaranteed: { cpuMillis: 15_000, memoryBytes: 52 * GIBIBYTE },
    });
    expect(guaranteeableStatus(all)).to.deep.equal({ cpus: 15, memory: '60Gi' });
  });

  it('is written in one unit, large or small', () => {
    const memory = (bytes: number) => amountStatus({ cpus: 2, memoryBytes: bytes }).memory;
    expect([memory(15_993 * 2 ** 20), memory(96 * 2 ** 20), memory(2 ** 42), memory(0)]).to.deep.equal([
      '15.618Gi',
      '0.093Gi',
      '4096Gi',
      '0Gi',
    ]);
  });
});

describe('free memory', () => {
  const quantized = (held: number | undefined, free: number): number =>
    quantizedFreeMemory(held, free * GIBIBYTE, machine.memoryBytes) / GIBIBYTE;

  it('is rounded down to a step of the machine', () => {
    expect([quantized(undefined, 10.9), quantized(undefined, 0.9)]).to.deep.equal([10, 0]);
  });

  it('stands as long as it moves by less than half a step either way', () => {
    expect(quantized(10 * GIBIBYTE, 9.6)).to.equal(10);
    expect(quantized(10 * GIBIBYTE, 11.4)).to.equal(10);
    expect(quantized(10 * GIBIBYTE, 9.4)).to.equal(9);
    expect(quantized(10 * GIBIBYTE, 11.6)).to.equal(11);
  });

  it('never says more than there is by more than half a step, and is not below 0', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 64, noNaN: true }), { minLength: 1 }), (all) => {
        let held: number | undefined;
        for (const free of all) {
          held = quantizedFreeMemory(held, free * GIBIBYTE, machine.memoryBytes);
          expect(held).to.be.within(0, (free + 0.5) * GIBIBYTE);
        }
      }),
    );
  });
});
