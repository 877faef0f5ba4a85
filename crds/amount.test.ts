import { expect } from 'chai';
import { amountOf, minus, NO_AMOUNT, plus } from './amount.ts';

const MEBIBYTE = 2 ** 20;

describe('an amount', () => {
  it('is what the API writes, in bytes', () => {
    expect(amountOf({ cpus: 2, memory: '512Mi' })).to.deep.equal({ cpus: 2, memoryBytes: 512 * MEBIBYTE });
    expect(amountOf({ cpus: 1, memory: 1000 })).to.deep.equal({ cpus: 1, memoryBytes: 1000 });
  });

  it('is refused where the memory is no quantity', () => {
    expect(() => amountOf({ cpus: 1, memory: 'much' })).to.throw(RangeError, 'quantity "much"');
  });

  it('may be added and taken away again, below zero if need be', () => {
    const amount = { cpus: 2, memoryBytes: MEBIBYTE };
    expect(plus(NO_AMOUNT, amount)).to.deep.equal(amount);
    expect(minus(plus(amount, amount), amount)).to.deep.equal(amount);
    expect(minus(NO_AMOUNT, amount)).to.deep.equal({ cpus: -2, memoryBytes: -MEBIBYTE });
  });
});
