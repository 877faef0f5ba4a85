import { expect } from 'chai';
import { begunAt, operationFor } from '#test/builders/operation.ts';
import { TIME, timeAfter } from '#test/builders/time.ts';
import { busyTargets } from './busy.ts';
import { settled } from './progress.ts';

const spec = { type: 'Shutdown', targets: { set: 'a,b,c' } } as const;
const mine = operationFor('mine', spec, { creationTimestamp: timeAfter(5) });
const older = operationFor('older', spec, { creationTimestamp: timeAfter(1) });
const younger = operationFor('younger', spec, { creationTimestamp: timeAfter(9) });
const targets = ['a', 'b', 'c'];
const done = settled(begunAt(TIME, ['a', 'b'], ['b']), {
  name: 'a',
  outcome: 'Succeeded',
  reason: 'Done',
  message: 'Done.',
});

describe('what an operation waits for', () => {
  it('is what an older one is not done with', () => {
    expect([...busyTargets(mine, targets, [{ operation: older, progress: done }])]).to.deep.equal([['b', 'older']]);
    expect([...busyTargets(mine, targets, [{ operation: older, progress: begunAt(TIME, ['a']) }])]).to.deep.equal([
      ['a', 'older'],
    ]);
  });

  it('is everything while an older one has not said what it is about', () => {
    expect([...busyTargets(mine, targets, [{ operation: older, progress: undefined }]).keys()]).to.deep.equal(targets);
  });

  it('is what a younger one is at, and nothing else of it', () => {
    expect([...busyTargets(mine, targets, [{ operation: younger, progress: done }])]).to.deep.equal([['b', 'younger']]);
    expect(busyTargets(mine, targets, [{ operation: younger, progress: undefined }]).size).to.equal(0);
  });

  it('is not what is suspended, or over', () => {
    const suspended = operationFor('older', { ...spec, suspend: true }, { creationTimestamp: timeAfter(1) });
    const over = operationFor('older', spec, { creationTimestamp: timeAfter(1), status: { completionTime: TIME } });
    expect(busyTargets(mine, targets, [{ operation: suspended, progress: undefined }]).size).to.equal(0);
    expect(busyTargets(mine, targets, [{ operation: over, progress: done }]).size).to.equal(0);
  });

  it('is never the other one on both sides', () => {
    const twin = operationFor('twin', spec, { creationTimestamp: timeAfter(5) });
    const waits = (one: typeof mine, other: typeof mine) =>
      busyTargets(one, ['a'], [{ operation: other, progress: undefined }]).size;
    expect(waits(mine, twin) + waits(twin, mine)).to.equal(1);
  });
});
