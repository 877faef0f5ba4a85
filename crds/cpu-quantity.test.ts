import { expect } from 'chai';
import fc from 'fast-check';
import { formatCpus, parseCpus } from './cpu-quantity.ts';

describe('a quantity of CPU time', () => {
  it('is thousandths of a CPU, however it is written', () => {
    for (const [written, millis] of [
      [2, 2000],
      ['2', 2000],
      ['0.5', 500],
      ['500m', 500],
      ['1.250', 1250],
      ['0', 0],
    ] as const)
      expect(parseCpus(written), String(written)).to.equal(millis);
  });

  it('is nothing else', () => {
    for (const wrong of ['', '1.', '.5', '1Gi', '-1', '1e3', '0.0001', 'half', '500 m', '1.5m', 0.3333, -2])
      expect(() => parseCpus(wrong), String(wrong)).to.throw(RangeError, /give a number of CPUs/);
  });

  it('comes back from how it is shown', () => {
    fc.assert(fc.property(fc.nat(512_000), (millis) => parseCpus(formatCpus(millis)) === millis));
  });
});
