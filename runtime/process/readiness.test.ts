import { expect } from 'chai';
import { Readiness } from './readiness.ts';

describe('readiness', () => {
  it('tells of every part that was told of, as it is now', () => {
    const readiness = new Readiness();
    readiness.tell('one', 'missing');
    readiness.tell('two', undefined);
    readiness.tell('one', 'late');
    expect(readiness.faults()).to.deep.equal({ one: 'late', two: undefined });
  });

  it('is lost while the changes of a kind are not heard', () => {
    const readiness = new Readiness();
    const observer = readiness.observer('Widget');
    const now = () => readiness.faults()['Widget changes'];
    for (const heard of [() => observer.recovered?.(), () => observer.listed?.('gone', 3, 1)]) {
      observer.failed?.('Unreachable', 'it is away');
      expect(now()).to.equal('it is away');
      heard();
      expect(now()).to.equal(undefined);
    }
  });
});
