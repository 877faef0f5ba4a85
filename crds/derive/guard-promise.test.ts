import { expect } from 'chai';
import fc from 'fast-check';
import { guardPromise, guardPromiseText, provenAfterMs } from './guard-promise.ts';

const promises = fc.record({
  deadlineSeconds: fc.integer({ min: 1, max: 86_400 }),
  killSeconds: fc.integer({ min: 1, max: 600 }),
});

describe('the promise of a guard', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(promises, (promise) => {
        expect(guardPromise(guardPromiseText(promise))).to.deep.equal(promise);
      }),
    );
  });

  const unreadable = [
    undefined,
    '',
    'true',
    'stops after 0 s within 1 s',
    'stops after -5 s within 1 s',
    'stops after 60 s',
  ];
  for (const text of unreadable) {
    it(`is none in ${JSON.stringify(text)}`, () => expect(guardPromise(text)).to.equal(undefined));
  }

  it('is kept later than it says, whatever the pace of the clocks', () => {
    fc.assert(
      fc.property(promises, (promise) => {
        expect(provenAfterMs(promise)).to.be.greaterThan((promise.deadlineSeconds + promise.killSeconds) * 1000 * 1.04);
      }),
    );
  });
});
