import { expect } from 'chai';
import * as fc from 'fast-check';
import { backoff, backoffDelay } from './backoff.ts';

describe('backoff', () => {
  const options = { baseMs: 100, maxMs: 1000 };

  it('doubles from the base up to the limit', () => {
    const waits = backoff(options, () => 0);
    const seen = Array.from({ length: 6 }, () => waits.next());
    expect(seen).to.deep.equal([100, 200, 400, 800, 1000, 1000]);
  });

  it('begins anew after a reset', () => {
    const waits = backoff(options, () => 0);
    waits.next();
    waits.next();
    waits.reset();
    expect(waits.next()).to.equal(100);
  });

  it('lets chance shorten a wait by no more than the jitter, and never lengthen it', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5000 }),
        fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (failures, chance, jitter) => {
          const full = backoffDelay({ ...options, jitter }, failures, () => 0);
          const wait = backoffDelay({ ...options, jitter }, failures, () => chance);
          expect(wait).to.be.at.most(full);
          expect(wait).to.be.at.least(full * (1 - jitter));
          expect(full).to.be.within(100, 1000);
        },
      ),
    );
  });
});
