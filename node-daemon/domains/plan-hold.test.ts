import { expect } from 'chai';
import fc from 'fast-check';
import { arbitraryOwnedSnapshot } from '#test/builders/arbitrary-snapshot.ts';
import { domainOf, domainOff, domainSnapshot, type SnapshotChanges } from '#test/builders/domain.ts';
import { planText } from '#test/builders/plan-text.ts';
import { placedMachine, runningMachine } from '#test/builders/virtual-machine.ts';
import { planDomain } from './plan.ts';

const vm = placedMachine();
const crashed = runningMachine({ instance: 'Crashed' });
const again = {
  restarts: 0,
  ended: { at: 0, told: true, termination: { reason: 'Crashed', initiator: 'Unknown', message: '' } },
} as const;

describe('while the site is on hold', () => {
  const table: [string, SnapshotChanges, string][] = [
    ['a guest is started where there is none', { live: vm, hold: 'None' }, 'Start'],
    ['nothing is started that was not started before', { live: vm, hold: 'Held' }, 'nothing, again in 30 s'],
    [
      'a guest that crashed is started again by a daemon that knows its control plane',
      { live: crashed, domain: domainOff(crashed, 'Crashed'), memory: again, hold: 'Held' },
      'Start',
    ],
    [
      'a permission is given back where the control plane may be older than it, and no guest is here',
      { live: vm, hold: 'Doubt' },
      'tell Refused (SiteOnHold)',
    ],
    [
      'nothing is started in doubt where the guest is here',
      { live: vm, domain: domainOff(vm, 'Failed'), hold: 'Doubt' },
      'nothing, again in 30 s',
    ],
    [
      'nothing is stopped in doubt',
      { live: placedMachine({ granted: { powerState: 'Stopped' } }), domain: domainOf(vm), hold: 'Doubt' },
      'nothing, again in 30 s',
    ],
  ];
  for (const [title, changes, expected] of table) {
    it(title, () => expect(planText(planDomain(domainSnapshot(changes)))).to.equal(expected));
  }

  it('nothing at all is done to a guest in doubt, but to note whose it is', () => {
    fc.assert(
      fc.property(arbitraryOwnedSnapshot, (snapshot) => {
        const plan = planDomain({ ...snapshot, hold: 'Doubt' });
        if (plan.kind === 'Act') expect(plan.step.kind).to.equal('Confirm');
      }),
    );
  });
});
