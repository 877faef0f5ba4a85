import { expect } from 'chai';
import { condition } from '#test/builders/condition.ts';
import { timeAfter } from '#test/builders/time.ts';
import { newMachine, placedMachine } from '#test/builders/virtual-machine.ts';
import { Refusals } from './refusals.ts';

const { uid } = newMachine().metadata;

function refused(hypervisor: string, epoch: number) {
  return placedMachine({ placement: { hypervisor, epoch }, instance: 'Refused' });
}

describe('the hypervisors that refused a VM', () => {
  it('are passed over for half a minute', () => {
    const refusals = new Refusals();
    refusals.record(refused('hv1', 1), 1_000);
    expect(refusals.of(uid, 30_999)).to.deep.equal(['hv1']);
    expect(refusals.of(uid, 31_000)).to.deep.equal([]);
  });

  it('are passed over once for each refusal, however often it is seen', () => {
    const refusals = new Refusals();
    refusals.record(refused('hv1', 1), 0);
    refusals.record(refused('hv1', 1), 29_000);
    expect(refusals.of(uid, 30_000)).to.deep.equal([]);
  });

  it('are all passed over, so that two do not throw it to each other', () => {
    const refusals = new Refusals();
    refusals.record(refused('hv1', 1), 0);
    refusals.record(refused('hv2', 2), 1_000);
    expect(refusals.of(uid, 2_000)).to.deep.equal(['hv1', 'hv2']);
  });

  it('are passed over twice as long each time, and ten minutes at most', () => {
    const refusals = new Refusals();
    const pauses = [1, 2, 3, 4, 5, 6, 7].map((epoch) => {
      refusals.record(refused('hv1', epoch), 0);
      return [30, 60, 120, 240, 480, 600].find((seconds) => refusals.of(uid, seconds * 1000).length === 0);
    });
    expect(pauses).to.deep.equal([30, 60, 120, 240, 480, 600, 600]);
  });

  it('are none once the VM runs, or is gone', () => {
    const refusals = new Refusals();
    refusals.record(refused('hv1', 1), 0);
    refusals.record(placedMachine({ placement: { hypervisor: 'hv2', epoch: 2 }, instance: 'Running' }), 1);
    expect(refusals.of(uid, 2)).to.deep.equal([]);
    refusals.record(refused('hv1', 3), 3);
    refusals.forget(uid);
    expect(refusals.of(uid, 4)).to.deep.equal([]);
  });

  it('are none where it was never refused, or under an earlier permission', () => {
    const refusals = new Refusals();
    refusals.record(newMachine(), 0);
    refusals.record(placedMachine({ placement: { epoch: 2 }, instance: { powerState: 'Refused', epoch: 1 } }), 0);
    expect(refusals.of(uid, 1)).to.deep.equal([]);
  });
});

describe('the hypervisors on which guests fail to start', () => {
  const failed = (reason: string) =>
    placedMachine({
      placement: { hypervisor: 'hv1', epoch: 1 },
      instance: { powerState: 'Refused', since: timeAfter(60) },
      status: { conditions: [condition('Provisioned', 'False', { reason })] },
    });
  const running = (since: string) =>
    placedMachine({ placement: { hypervisor: 'hv1', epoch: 2 }, instance: { powerState: 'Running', since } });

  it('are known for ten minutes, whichever VM it was', () => {
    const refusals = new Refusals();
    refusals.record(failed('StartFailed'), 1_000);
    expect(refusals.failedLatelyOn('hv1', 600_999)).to.equal(true);
    expect(refusals.failedLatelyOn('hv1', 601_000)).to.equal(false);
    expect(refusals.failedLatelyOn('hv2', 1_000)).to.equal(false);
  });

  it('are no longer once a guest has come to run there; one that ran before proves nothing', () => {
    const refusals = new Refusals();
    refusals.record(failed('StartFailed'), 1_000);
    refusals.record(running(timeAfter(30)), 2_000);
    expect(refusals.failedLatelyOn('hv1', 2_000)).to.equal(true);
    refusals.record(running(timeAfter(90)), 3_000);
    expect(refusals.failedLatelyOn('hv1', 3_000)).to.equal(false);
  });

  it('are not those that have no room, or lack what one VM asks for', () => {
    const refusals = new Refusals();
    refusals.record(failed('NoRoom'), 1_000);
    refusals.record(failed('InvalidOnHypervisor'), 1_000);
    expect(refusals.failedLatelyOn('hv1', 1_000)).to.equal(false);
  });
});
