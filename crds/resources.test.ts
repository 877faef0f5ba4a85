import { expect } from 'chai';
import fc from 'fast-check';
import { areKept, isSameResources, isUnlimited, type Limits, limitsOf, NO_LIMITS } from './resources.ts';
import type { Resources } from './v1alpha1/virtual-machine-spec.ts';

const SIZE = { cpus: 4, memory: '4Gi' };

describe('how CPU time is to be shared out', () => {
  it('is as with any guest where nothing is said', () => {
    expect(limitsOf(SIZE)).to.deep.equal(NO_LIMITS);
    expect(isUnlimited(limitsOf({ ...SIZE, memoryMinimum: '1Gi' }))).to.equal(true);
  });

  it('follows from what was granted', () => {
    expect(limitsOf({ ...SIZE, cpuShares: 512, cpuLimit: '1.5' })).to.deep.equal({
      cpuShares: 512,
      cpuLimitMillis: 1500,
    });
  });

  it('gives a reserved CPU the weight of ten guests, and never less than was asked for', () => {
    expect(limitsOf({ ...SIZE, cpuReservation: '500m' }).cpuShares).to.equal(5120);
    expect(limitsOf({ ...SIZE, cpuReservation: 2, cpuShares: 1024 }).cpuShares).to.equal(20_480);
    expect(limitsOf({ ...SIZE, cpuReservation: '100m', cpuShares: 8192 }).cpuShares).to.equal(8192);
    expect(limitsOf({ ...SIZE, cpus: 64, cpuReservation: 64 }).cpuShares).to.equal(262_144);
  });

  it('keeps a reservation among up to ten guests without one for each CPU that is not reserved', () => {
    const machine = fc.record({
      reserved: fc.array(fc.integer({ min: 1, max: 2000 }), { minLength: 1, maxLength: 8 }),
      physical: fc.integer({ min: 16, max: 24 }),
      share: fc.integer({ min: 0, max: 10 }),
    });
    fc.assert(
      fc.property(machine, ({ reserved, physical, share }) => {
        const taken = reserved.reduce((sum, millis) => sum + millis, 0) / 1000;
        const others = Math.floor((physical - taken) * share) * NO_LIMITS.cpuShares;
        const weights = reserved.map(
          (millis) => limitsOf({ ...SIZE, cpuReservation: `${millis}m`, cpuShares: 2 }).cpuShares,
        );
        const all = weights.reduce((sum, weight) => sum + weight, others);
        weights.forEach((weight, index) => {
          expect((physical * weight * 1000) / all).to.be.at.least((reserved[index] ?? 0) * 0.99 - 1);
        });
      }),
    );
  });
});

describe('limits that are seen', () => {
  const table: [string, Limits, Limits, boolean][] = [
    ['are kept where they are the same', { cpuShares: 512 }, { cpuShares: 512 }, true],
    ['are kept where the hypervisor counts in hundredths', { cpuShares: 1500 }, { cpuShares: 1495 }, true],
    ['are not kept where they are others', { cpuShares: 1024 }, { cpuShares: 512 }, false],
    ['are kept as far as the hypervisor goes', { cpuShares: 262_144 }, { cpuShares: 102_400 }, true],
    ['are not kept where a limit is missing', { cpuShares: 1024, cpuLimitMillis: 500 }, NO_LIMITS, false],
    ['are not kept where there is a limit too many', NO_LIMITS, { cpuShares: 1024, cpuLimitMillis: 500 }, false],
  ];
  for (const [title, wanted, seen, expected] of table) {
    it(title, () => expect(areKept(wanted, seen)).to.equal(expected));
  }
});

describe('resources', () => {
  it('are the same however they are written', () => {
    const one: Resources = { cpus: 2, memory: '1Gi', cpuLimit: '1.5', cpuReservation: '0.5', memoryMinimum: '512Mi' };
    const other: Resources = {
      cpus: 2,
      memory: 2 ** 30,
      cpuLimit: '1500m',
      cpuReservation: '500m',
      memoryMinimum: 2 ** 29,
    };
    expect(isSameResources(one, other)).to.equal(true);
    for (const change of [
      { cpuLimit: 1 },
      { cpuReservation: 1 },
      { memoryMinimum: 0 },
      { cpuShares: 1024 },
      { cpus: 3 },
    ])
      expect(isSameResources(one, { ...other, ...change }), JSON.stringify(change)).to.equal(false);
  });
});
