import { expect } from 'chai';
import type { Hold, HoldPhase } from './hold.ts';
import { atHomeAfter } from './reconcile.ts';

const hold = (id: string, phase: HoldPhase): Hold => ({ id, phase, reason: '', heard: [], waitingFor: [], needs: '' });
const after = (before: Hold | undefined, known: string[], now: Hold | undefined) => [
  ...atHomeAfter({ hold: before, atHome: new Set(known) }, now, ['found']),
];

describe('guests that were found where they were signed for', () => {
  it('are none before every hypervisor has reported: a backup may have brought back what says so', () => {
    expect(after(undefined, [], hold('h1', 'Waiting'))).to.deep.equal([]);
    expect(after(hold('h1', 'Waiting'), [], hold('h1', 'Waiting'))).to.deep.equal([]);
  });

  it('are remembered through the hold once they have', () => {
    expect(after(hold('h1', 'Waiting'), [], hold('h1', 'Recreating'))).to.deep.equal(['found']);
    expect(after(hold('h1', 'Recreating'), ['known'], hold('h1', 'Recreating'))).to.deep.equal(['known', 'found']);
    expect(after(hold('h1', 'Recreating'), ['known'], hold('h1', 'Waiting'))).to.deep.equal(['known']);
  });

  it('are forgotten with it', () => {
    expect(after(hold('h1', 'Over'), ['known'], hold('h2', 'Waiting'))).to.deep.equal([]);
    expect(after(hold('h1', 'Over'), ['known'], undefined)).to.deep.equal([]);
  });
});
