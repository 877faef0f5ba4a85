import { expect } from 'chai';
import fc from 'fast-check';
import { jitteryLoad, steadyLoad, swingingLoad } from './load.ts';

const rates = {
  cpuMillis: 500,
  memoryBytes: 1_000,
  networkReceive: 3_000,
  networkTransmit: 2_000,
  diskRead: 1_000,
  diskWrite: 500,
};

describe('load', () => {
  it('never falls, however it swings', () => {
    const time = fc.integer({ min: 0, max: 3_600_000 });
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer(), time, time, (share, seed, a, b) => {
        const load = jitteryLoad(rates, share, () => (Math.abs(seed) % 1_000) / 1_000);
        const [earlier, later] = [load(Math.min(a, b)), load(Math.max(a, b))];
        expect(later.cpuNanoseconds >= earlier.cpuNanoseconds).to.equal(true);
        expect(later.networkReceiveBytes >= earlier.networkReceiveBytes).to.equal(true);
      }),
    );
  });

  it('swings around its mean: over whole periods it counts what a steady one counts', () => {
    const swinging = swingingLoad(rates, { share: 0.5, periodMilliseconds: 10_000, phase: 1 });
    const [swung, steady] = [swinging(60_000), steadyLoad(rates)(60_000)];
    expect(Number(swung.cpuNanoseconds)).to.be.closeTo(Number(steady.cpuNanoseconds), 10);
  });
});
