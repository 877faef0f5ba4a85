import { expect } from 'chai';
import { domainOf, domainOff, domainSnapshot, type SnapshotChanges } from '#test/builders/domain.ts';
import { planText } from '#test/builders/plan-text.ts';
import { timeAfter } from '#test/builders/time.ts';
import { uuidFor } from '#test/builders/uuid.ts';
import { placedMachine, runningMachine } from '#test/builders/virtual-machine.ts';
import { type FailedStep, nothingRemembered, rememberStepDone, rememberStepFailed } from './memory.ts';
import { planDomain } from './plan.ts';

const NOW = 1_000_000;
const deleted = runningMachine({ metadata: { deletionTimestamp: timeAfter(0) } });
const next = placedMachine({ placement: { epoch: 2 } });
const elsewhere = placedMachine({ placement: { hypervisor: 'hv2', hypervisorUID: uuidFor('hv2'), epoch: 2 } });

function failed(kind: FailedStep['kind'], secondsAgo: number, times = 1): Pick<SnapshotChanges, 'memory' | 'now'> {
  const failedStep = { kind, times, failedAt: NOW - secondsAgo * 1000, why: 'the disk is full' };
  return { now: NOW, memory: { restarts: 0, failedStep } };
}

describe('what failed and is tried again', () => {
  const off = domainOff(deleted, 'Shutdown');
  const table: [string, SnapshotChanges, string][] = [
    [
      'is why the guest of a deleted VM is still there',
      { cached: deleted, domain: off, ...failed('Undefine', 2) },
      'tell Stopped after StoppedByRequest (RemoveFailed), again in 3 s',
    ],
    [
      'waits longer each time',
      { cached: deleted, domain: off, ...failed('Undefine', 2, 4) },
      'tell Stopped after StoppedByRequest (RemoveFailed), again in 38 s',
    ],
    ['is tried when the pause is over', { live: deleted, domain: off, ...failed('Undefine', 5) }, 'Undefine'],
    [
      'is not told of a VM that another daemon tells of',
      { live: elsewhere, domain: off, ...failed('Undefine', 2) },
      'nothing, again in 3 s',
    ],
    [
      'is why a guest that runs is not told to run',
      { cached: next, domain: domainOf(placedMachine()), ...failed('Confirm', 1) },
      'tell Starting (ConfirmFailed), again in 4 s',
    ],
    [
      'says nothing of other steps',
      { live: next, domain: domainOf(placedMachine()), ...failed('Undefine', 1) },
      'Confirm',
    ],
  ];
  for (const [title, snapshot, expected] of table) {
    it(title, () => expect(planText(planDomain(domainSnapshot(snapshot)))).to.equal(expected));
  }

  it('is told with the words of the hypervisor', () => {
    const plan = planDomain(domainSnapshot({ cached: deleted, domain: off, ...failed('Undefine', 2) }));
    expect(plan).to.have.nested.property(
      'report.fault.reason',
      'hv1 could not remove the guest, which is off: the disk is full. It is tried again, with growing pauses.',
    );
  });

  it('is counted in a row, and forgotten once it worked', () => {
    const once = rememberStepFailed(nothingRemembered, 1, { kind: 'Undefine', why: 'no' });
    const twice = rememberStepFailed(once, 2, { kind: 'Undefine', why: 'still no' });
    expect(twice.failedStep).to.deep.equal({ kind: 'Undefine', times: 2, failedAt: 2, why: 'still no' });
    expect(rememberStepFailed(twice, 3, { kind: 'Confirm', why: 'no' }).failedStep).to.include({ times: 1 });
    expect(rememberStepDone(twice)).to.deep.equal(nothingRemembered);
    expect(rememberStepDone(nothingRemembered)).to.equal(nothingRemembered);
  });
});
