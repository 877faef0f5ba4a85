import { expect } from 'chai';
import fc from 'fast-check';
import {
  cpuScale,
  memoryScale,
  quantize,
  quantizeUsage,
  rateScale,
  type Scale,
  stepsBetween,
  usageAt,
} from './quantize.ts';
import { perResource, perWindow } from './resources.ts';

/** From `fine` on, a step is small against the value. */
const scales: Record<string, { scale: Scale; fine: number; max: number }> = {
  'the CPU scale': { scale: cpuScale, fine: 400, max: 1_000_000 },
  'the rate scale': { scale: rateScale, fine: 8_192, max: 1e12 },
  'the memory scale': { scale: memoryScale, fine: 2 ** 23, max: 2 ** 44 },
};

/** Means from nothing to the largest, each magnitude as likely as another. */
function means(max: number): fc.Arbitrary<number> {
  return fc.double({ min: 0, max: Math.log2(max), noNaN: true }).map((exponent) => 2 ** exponent - 1);
}

for (const [name, { scale, fine, max }] of Object.entries(scales)) {
  describe(name, () => {
    it('writes nothing for jitter of 3 % once it has settled, whatever the mean', () => {
      const factors = fc.array(fc.double({ min: 0.97, max: 1.03, noNaN: true }), { minLength: 2, maxLength: 50 });
      fc.assert(
        fc.property(means(max), factors, (mean, all) => {
          const settled = quantize(scale, undefined, mean * (all[0] ?? 1));
          for (const factor of all) {
            expect(quantize(scale, settled, mean * factor)).to.equal(settled);
          }
        }),
        { numRuns: 2_000 },
      );
    });

    it('moves at most once for jitter of 3 % that begins at any step held before', () => {
      const factors = fc.array(fc.double({ min: 0.97, max: 1.03, noNaN: true }), { maxLength: 50 });
      fc.assert(
        fc.property(means(max), means(max), factors, (before, mean, all) => {
          let [held, moves] = [scale.nearest(before), 0];
          for (const factor of all) {
            const next = quantize(scale, held, mean * factor);
            moves += next === held ? 0 : 1;
            held = next;
          }
          expect(moves).to.be.at.most(1);
        }),
        { numRuns: 1_000 },
      );
    });

    it('keeps a step that it chose: quantizing a step changes nothing', () => {
      fc.assert(
        fc.property(means(max), (value) => {
          const step = scale.nearest(value);
          expect(scale.nearest(step)).to.equal(step);
          expect(scale.holds(step, step)).to.equal(true);
        }),
      );
    });

    it('notices half as much again, and half', () => {
      fc.assert(
        fc.property(fc.double({ min: fine, max, noNaN: true }), (value) => {
          const step = scale.nearest(value);
          expect(quantize(scale, step, value * 1.5)).to.be.greaterThan(step);
          expect(quantize(scale, step, value / 2)).to.be.lessThan(step);
        }),
      );
    });

    it('gives whole numbers', () => {
      fc.assert(fc.property(means(max), (value) => Number.isSafeInteger(scale.nearest(value))));
    });
  });
}

describe('quantized usage', () => {
  it('has CPU in steps of 50 and memory in powers of two and steps between', () => {
    expect([0, 24, 26, 74, 76, 1_990].map((value) => cpuScale.nearest(value))).to.deep.equal([
      0, 0, 50, 50, 100, 2_000,
    ]);
    expect([2 ** 31, 2 ** 31 * 1.09].map((value) => memoryScale.nearest(value))).to.deep.equal([2 ** 31, 2341847524]);
  });

  it('shows an idle network as 0, and a quiet one does not make it flap', () => {
    expect(rateScale.nearest(500)).to.equal(0);
    expect(quantize(rateScale, 0, 1_000)).to.equal(0);
    expect(quantize(rateScale, 1_024, 300)).to.equal(1_024);
    expect(quantize(rateScale, 1_024, 200)).to.equal(0);
  });

  it('is as far from another as its most moved value, in steps', () => {
    const still = quantizeUsage(
      undefined,
      perResource(() => perWindow(() => 1_000)),
    );
    const moved = { ...still, cpu: { ...still.cpu, oneMinute: still.cpu.oneMinute + 200 } };
    expect(stepsBetween(still, still)).to.equal(0);
    expect(stepsBetween(still, moved)).to.equal(4);
    expect(stepsBetween(moved, still)).to.equal(4);
  });

  it('is told in percent of all CPUs too, where their number is known', () => {
    const quantized = quantizeUsage(
      undefined,
      perResource(() => perWindow(() => 1_500)),
    );
    const percent = (cpus: number | undefined) => usageAt(quantized, 0, cpus).cpuPercent?.fiveMinutes;
    expect([percent(1), percent(4), percent(0), percent(undefined)]).to.deep.equal([150, 38, undefined, undefined]);
  });

  it('is dated as the API wants it', () => {
    const quantized = quantizeUsage(
      undefined,
      perResource(() => perWindow(() => 0)),
    );
    expect(usageAt(quantized, Date.UTC(2026, 0, 2, 3, 4, 5, 678), 1).time).to.equal('2026-01-02T03:04:05Z');
  });
});
