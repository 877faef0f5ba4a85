import { expect } from 'chai';
import { amountInWords, amountOf, inTermsOf, larger, minus, NO_AMOUNT, plus, wantsIn } from './amount.ts';

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

  it('knows what of it is guaranteed', () => {
    const reserving = amountOf({ cpus: 2, memory: '2Mi', cpuReservation: '0.5', memoryMinimum: '1Mi' });
    const guaranteed = { cpuMillis: 500, memoryBytes: MEBIBYTE };
    expect(reserving).to.deep.equal({ cpus: 2, memoryBytes: 2 * MEBIBYTE, guaranteed });
    expect(minus(plus(reserving, reserving), reserving)).to.deep.equal(reserving);
    expect(minus(reserving, reserving)).to.deep.equal(NO_AMOUNT);
    expect(
      larger(reserving, { cpus: 1, memoryBytes: MEBIBYTE, guaranteed: { cpuMillis: 100, memoryBytes: 0 } }),
    ).to.deep.equal(reserving);
  });

  it('says what is wanted and not there, and nothing of what is not wanted', () => {
    const nothing = { cpus: -1, memoryBytes: 0, guaranteed: { cpuMillis: -100, memoryBytes: 0 } };
    expect(wantsIn(NO_AMOUNT, nothing)).to.deep.equal([]);
    expect(wantsIn({ cpus: 1, memoryBytes: 0 }, nothing)).to.deep.equal(['Cpus']);
    expect(wantsIn(amountOf({ cpus: 1, memory: '1Mi', cpuReservation: 1, memoryMinimum: 1 }), NO_AMOUNT)).to.deep.equal(
      ['Cpus', 'Memory', 'ReservedCpus', 'GuaranteedMemory'],
    );
  });

  it('is told with what of it is guaranteed, where that is asked for', () => {
    const room = { cpus: 3, memoryBytes: 8 * MEBIBYTE, guaranteed: { cpuMillis: 2500, memoryBytes: 4 * MEBIBYTE } };
    const told = (resources: object) =>
      amountInWords(inTermsOf(amountOf({ cpus: 1, memory: '1Mi', ...resources }), room), 'down');
    expect(told({})).to.equal('3 CPUs and 8Mi of memory');
    expect(told({ cpuReservation: 1 })).to.equal('3 CPUs and 8Mi of memory (guaranteed: 2.5 CPUs)');
    expect(told({ memoryMinimum: 1 })).to.equal('3 CPUs and 8Mi of memory (guaranteed: 4Mi of memory)');
    expect(told({ cpuReservation: 1, memoryMinimum: 1 })).to.equal(
      '3 CPUs and 8Mi of memory (guaranteed: 2.5 CPUs and 4Mi of memory)',
    );
  });
});
