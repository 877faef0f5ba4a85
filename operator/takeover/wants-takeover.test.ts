import { expect } from 'chai';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { Proof } from '#crds/v1alpha1/virtual-machine-status.ts';
import { HOLD, newMachine, placedMachine } from '#test/builders/virtual-machine.ts';
import type { Recovery } from './takeovers.ts';
import { takeoverOf, wantsTakeover } from './wants-takeover.ts';

const spec = { recovery: { ...HOLD, onLost: 'Restart', lostTimeoutSeconds: 60 } } as const;
const GUARD: Proof = { kind: 'Guard', hypervisor: 'hv1', message: 'stopped' };

describe('a VM of a silent hypervisor', () => {
  const table: [string, VirtualMachine, boolean][] = [
    ['that ran is taken over where that is declared', placedMachine({ spec, instance: 'Running' }), true],
    ['that stood still is', placedMachine({ spec, granted: { powerState: 'Paused' }, instance: 'Paused' }), true],
    ['of which nothing was heard yet is', placedMachine({ spec }), true],
    ['is not where nobody asked for it', placedMachine({ instance: 'Running' }), false],
    ['is not where it was never placed', newMachine({ spec }), false],
    ['is not where it is to be off', placedMachine({ spec, granted: { powerState: 'Stopped' } }), false],
    ['is not where its permission was given back', placedMachine({ spec, instance: 'Stopped' }), false],
    ['is not where its memory lies on that disk', placedMachine({ spec, instance: 'Hibernated' }), false],
    [
      'is not where it is being deleted',
      placedMachine({ spec, metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }),
      false,
    ],
  ];
  for (const [title, vm, expected] of table) it(title, () => expect(wantsTakeover(vm)).to.equal(expected));
});

describe('whether a VM may be taken over', () => {
  const guarded = placedMachine({ spec, instance: { powerState: 'Running', guarded: true } });
  const proven: Recovery = { kind: 'Proven', proof: GUARD, until: 1_000 };
  const of = (vm: VirtualMachine, forMs: number, recovery: Recovery | undefined, now = 0) =>
    takeoverOf(vm, { hypervisor: 'hv1', forMs, recovery }, now);

  it('is not before its time, whatever was proven', () => {
    expect(of(guarded, 59_000, proven)).to.include({ kind: 'Waiting', again: 1_000 });
  });

  it('is while the proof holds, and no longer', () => {
    expect(of(guarded, 60_000, proven, 999)).to.deep.equal({ kind: 'Proven', proof: GUARD });
    expect(of(guarded, 60_000, proven, 1_000)).to.include({ kind: 'Waiting' });
  });

  it('is not by a guard that had not been told of it', () => {
    const verdict = of(placedMachine({ spec, instance: 'Running' }), 60_000, proven);
    expect(verdict).to.deep.equal({ kind: 'Waiting', why: 'the guard of hv1 had not been told of this guest.' });
  });

  it('is by fencing, whatever a guard knew', () => {
    const fenced: Recovery = { ...proven, proof: { ...GUARD, kind: 'Fenced' } };
    expect(of(placedMachine({ spec, instance: 'Running' }), 60_000, fenced)).to.include({ kind: 'Proven' });
  });

  it('is told why not yet', () => {
    expect(of(guarded, 60_000, { kind: 'Waiting', why: 'no.' })).to.deep.equal({ kind: 'Waiting', why: 'no.' });
  });
});
