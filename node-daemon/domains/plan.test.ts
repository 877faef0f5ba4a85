import { expect } from 'chai';
import { INSTANCE_UUID_ANNOTATION } from '#crds/v1alpha1/names.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { InstanceState } from '#crds/v1alpha1/virtual-machine-status.ts';
import { domainOf, domainOff, domainSnapshot, type SnapshotChanges } from '#test/builders/domain.ts';
import { planText } from '#test/builders/plan-text.ts';
import { TIME, timeAfter } from '#test/builders/time.ts';
import { uuidFor } from '#test/builders/uuid.ts';
import { newMachine, placedMachine, runningMachine } from '#test/builders/virtual-machine.ts';
import { planDomain } from './plan.ts';

/** What was granted and placed last, as a guest bears it that was built from something older. */
function latestOf(vm: VirtualMachine) {
  const { payload = '', signature = '' } = domainOf(vm).metadata ?? {};
  return { payload, signature };
}

const DELETING = { deletionTimestamp: timeAfter(0) };
const NOW = 1_000_000;

describe('whose a guest is', () => {
  const vm = placedMachine();
  const elsewhere = placedMachine({ placement: { hypervisor: 'hv2', hypervisorUID: uuidFor('hv2'), epoch: 2 } });
  const guest = domainOf(vm);

  const table: [string, SnapshotChanges, string][] = [
    [
      'is not asked while the hypervisor does not answer',
      { cached: vm, live: vm, domain: 'Unknown' },
      'nothing, again in 5 s',
    ],
    ['is of no interest where there is neither VM nor guest', {}, 'nothing'],
    ['is of no interest where the guest is foreign', { domain: domainOf(vm, { metadata: null }) }, 'nothing'],
    ['is asked of the API server where no VM is known for it', { domain: guest }, 'verify'],
    ['is nobody where its VM is gone', { domain: guest, live: 'Gone' }, 'orphaned'],
    [
      'is nobody where its VM is gone and a cache still has it',
      { cached: vm, domain: guest, live: 'Gone' },
      'orphaned',
    ],
    [
      'is nobody where it is a copy of another, marks and all',
      { domain: domainOf(vm, { uuid: uuidFor('copy') }), live: runningMachine({ metadata: DELETING }) },
      'orphaned',
    ],
    ['is of no interest where VM and guest are gone', { cached: vm, live: 'Gone' }, 'nothing'],
    ['is found by a live read where the watch lags behind', { domain: guest, live: vm }, 'tell Running'],
    ['changes nothing before something was granted', { cached: newMachine() }, 'nothing'],
    ['is another node that has it', { cached: elsewhere }, 'nothing'],
    ['is verified before the copy left behind is stopped', { cached: elsewhere, domain: guest }, 'verify'],
    ['is another node under a higher epoch: the copy here is stopped', { live: elsewhere, domain: guest }, 'PullPlug'],
    [
      'is another node under a higher epoch: a copy that hangs is stopped too',
      { live: elsewhere, domain: domainOf(vm, { powerState: 'Unknown' }) },
      'PullPlug',
    ],
    [
      'is another node under a higher epoch: the copy that is off is removed',
      { live: elsewhere, domain: domainOff(vm, 'Shutdown') },
      'Undefine',
    ],
    [
      'is another node, but under no higher epoch: the guest is left alone, and told of',
      { live: elsewhere, domain: domainOf(vm, { metadata: { epoch: 2 } }) },
      'orphaned',
    ],
    [
      'is another node, but under no higher epoch: that is asked before it is told',
      { cached: elsewhere, domain: domainOf(vm, { metadata: { epoch: 2 } }) },
      'verify',
    ],
    [
      'is another node: a foreign guest is left alone',
      { live: elsewhere, domain: domainOf(vm, { metadata: null }) },
      'nothing',
    ],
    [
      'is what a live read says, not what the cache says',
      { cached: placedMachine({ granted: { powerState: 'Stopped' } }), live: vm, domain: guest },
      'tell Running',
    ],
  ];
  for (const [title, snapshot, expected] of table) {
    it(title, () => expect(planText(planDomain(domainSnapshot(snapshot)))).to.equal(expected));
  }
});

describe('a guest that should run', () => {
  const vm = placedMachine();
  const guest = domainOf(vm);
  const next = placedMachine({ placement: { epoch: 2 } });

  const table: [string, SnapshotChanges, string][] = [
    ['is told to run when it does', { domain: guest }, 'tell Running'],
    ['is told to be paused when somebody paused it', { domain: domainOf(vm, { powerState: 'Paused' }) }, 'tell Paused'],
    [
      'is told to be stopping when it shuts down',
      { domain: domainOf(vm, { powerState: 'ShuttingDown' }) },
      'tell Stopping',
    ],
    [
      'is looked at again when its state is not known',
      { domain: domainOf(vm, { powerState: 'Unknown' }) },
      'nothing, again in 5 s',
    ],
    [
      'is told as it was seen last when its state has not been known for a minute',
      {
        live: placedMachine({ instance: 'Running' }),
        domain: domainOf(vm, { powerState: 'Unknown' }),
        memory: { restarts: 0, unknownSince: 940_000 },
      },
      'tell Running (StateUnknown), again in 5 s',
    ],
    [
      'is told to be starting when its state has not been known for a minute and nothing was seen before',
      {
        live: placedMachine(),
        domain: domainOf(vm, { powerState: 'Unknown' }),
        memory: { restarts: 0, unknownSince: 940_000 },
      },
      'tell Starting (StateUnknown), again in 5 s',
    ],
    [
      'is not yet told to run after two crashes in a row',
      { domain: guest, ...crashLoop(4_000) },
      'nothing, again in 6 s',
    ],
    [
      'is told to run after two crashes once it has lived ten seconds',
      { domain: guest, ...crashLoop(10_000) },
      'tell Running',
    ],
  ];
  for (const [title, snapshot, expected] of table) {
    it(title, () => expect(planText(planDomain(domainSnapshot({ cached: vm, ...snapshot })))).to.equal(expected));
  }

  it('is noted with what was granted last, so that nothing is lost with the control plane', () => {
    const patient = placedMachine({ spec: { restartPolicy: 'Always' }, metadata: { generation: 2 } });
    const plan = planDomain(domainSnapshot({ live: patient, domain: guest }));
    expect(plan).to.have.nested.property('step.metadata').that.deep.equals(domainOf(patient).metadata);
    expect(planText(planDomain(domainSnapshot({ cached: patient, domain: domainOf(patient) })))).to.equal(
      'tell Running',
    );
  });

  it('is told to run though that could not be noted', () => {
    const patient = placedMachine({ spec: { restartPolicy: 'Always' }, metadata: { generation: 2 } });
    const failedStep = { kind: 'Confirm', times: 1, failedAt: 999_000, why: 'no space' } as const;
    const memory = { restarts: 0, failedStep };
    expect(planText(planDomain(domainSnapshot({ cached: patient, domain: guest, memory })))).to.equal('tell Running');
  });

  it('is given to an object that was written anew, with what it was built from', () => {
    const again = placedMachine({
      metadata: { uid: uuidFor('another'), annotations: { [INSTANCE_UUID_ANNOTATION]: vm.metadata.uid } },
      spec: { resources: { cpus: 2, memory: '1Gi' } },
    });
    const plan = planDomain(domainSnapshot({ live: again, domain: guest }));
    expect(plan)
      .to.have.nested.property('step.metadata')
      .that.deep.equals({ ...guest.metadata, uid: uuidFor('another'), generation: 0, latest: latestOf(again) });
  });

  it('is the truth where its epoch is higher than that of the object: nothing is done to it', () => {
    const newer = domainOf(vm, { metadata: { epoch: 2 } });
    for (const declared of [vm, placedMachine({ granted: { powerState: 'Stopped' } })]) {
      expect(planText(planDomain(domainSnapshot({ cached: declared, domain: newer })))).to.equal('verify');
      expect(planText(planDomain(domainSnapshot({ live: declared, domain: newer })))).to.equal('orphaned');
    }
  });

  it('is given its new epoch when it runs already, after a live read', () => {
    expect(planText(planDomain(domainSnapshot({ cached: next, domain: guest })))).to.equal('verify');
    const plan = planDomain(domainSnapshot({ live: next, domain: guest }));
    expect(plan).to.have.nested.property('step.kind', 'Confirm');
    expect(plan).to.have.nested.property('step.metadata').that.deep.equals(domainOf(next).metadata);
  });

  it('keeps the definition that it was built from when it is given a new epoch', () => {
    const changed = placedMachine({
      spec: { resources: { cpus: 2, memory: '1Gi' } },
      placement: { epoch: 2 },
      metadata: { generation: 2 },
    });
    const plan = planDomain(domainSnapshot({ live: changed, domain: guest }));
    expect(plan)
      .to.have.nested.property('step.metadata')
      .that.deep.equals({ ...guest.metadata, epoch: 2, latest: latestOf(changed) });
  });

  it('keeps the definition that it was built from while the newest spec is not decided', () => {
    const undecided = placedMachine({
      placement: { epoch: 2 },
      metadata: { generation: 2 },
      granted: { generation: 1 },
    });
    const plan = planDomain(domainSnapshot({ live: undecided, domain: guest }));
    expect(plan)
      .to.have.nested.property('step.metadata')
      .that.deep.equals({ ...guest.metadata, epoch: 2 });
  });

  describe('and was started again', () => {
    const after = (instance: InstanceState, since = TIME) => {
      const machine = placedMachine({
        instance,
        status: { lastTermination: { reason: 'Crashed', initiator: 'Unknown', time: since, message: 'It crashed.' } },
      });
      const memory = { restarts: 3, startedAt: 1_000_000 - 10_000 };
      const plan = planDomain(domainSnapshot({ cached: machine, domain: domainOf(machine), now: 1_000_000, memory }));
      return plan.kind === 'Report' ? plan.report.cause : plan.kind;
    };
    const again = 'Started again on hv1 after a pause of 8 s: restart 3 in a row.';

    it('is told with the pause and the number of the restart, where its end was told', () => {
      expect(after('Crashed')).to.equal(again);
      expect(after('Missing')).to.equal(again);
      expect(after('Starting')).to.equal(again);
    });

    it('is told as any other where no end of this permission was told', () => {
      expect(after('Running')).to.equal(undefined);
      expect(after('Starting', timeAfter(-60))).to.equal(undefined);
    });
  });

  function crashLoop(alive: number): Pick<SnapshotChanges, 'now' | 'memory'> {
    return { now: 1_000_000, memory: { restarts: 2, startedAt: 1_000_000 - alive } };
  }
});

describe('a guest that should be stopped', () => {
  const vm = runningMachine({ granted: { powerState: 'Stopped' } });
  const over = placedMachine({ granted: { powerState: 'Stopped' }, instance: 'Stopped' });

  const table: [string, SnapshotChanges, string][] = [
    [
      'is not told to have obeyed where it crashed after it had been asked and wanted again',
      {
        live: runningMachine({ granted: { powerState: 'Stopped' }, instance: 'Crashed' }),
        domain: domainOff(vm, 'Crashed'),
        memory: {
          restarts: 0,
          ended: { at: 990_000, termination: { reason: 'Crashed', initiator: 'Unknown', message: '' }, told: true },
          stop: { askedAt: 100_000, lastAskedAt: 100_000, by: { kind: 'Request' }, withdrawn: true },
        },
      },
      'tell Stopped',
    ],
    ['is verified before anything is done to it', { cached: vm, domain: domainOf(vm) }, 'verify'],
    ['is asked to shut down', { live: vm, domain: domainOf(vm) }, 'AskShutdown'],
    ['is asked while it is paused', { live: vm, domain: domainOf(vm, { powerState: 'Paused' }) }, 'AskShutdown'],
    [
      'is told to be stopped when it is off',
      { cached: vm, domain: domainOff(vm, 'Shutdown') },
      'tell Stopped after StoppedByRequest',
    ],
    [
      'is told to be stopped when it was never started',
      { cached: placedMachine({ granted: { powerState: 'Stopped' } }) },
      'tell Stopped',
    ],
    ['is left alone once that was told', { cached: over, domain: domainOff(over, 'Shutdown') }, 'nothing'],
    ['is stopped again when somebody started it on the host', { live: over, domain: domainOf(over) }, 'AskShutdown'],
  ];
  for (const [title, snapshot, expected] of table) {
    it(title, () => expect(planText(planDomain(domainSnapshot(snapshot)))).to.equal(expected));
  }
});

describe('a guest whose VM is being deleted', () => {
  const vm = runningMachine({ metadata: DELETING });
  const gone = placedMachine({ metadata: DELETING, instance: 'Absent' });

  const table: [string, SnapshotChanges, string][] = [
    ['is verified before anything is done to it', { cached: vm, domain: domainOf(vm) }, 'verify'],
    ['is asked to shut down', { live: vm, domain: domainOf(vm) }, 'AskShutdown'],
    ['is verified before it is removed', { cached: vm, domain: domainOff(vm, 'Shutdown') }, 'verify'],
    ['is removed when it is off', { live: vm, domain: domainOff(vm, 'Shutdown') }, 'Undefine'],
    ['is told to be absent when it is', { cached: vm }, 'tell Absent after StoppedByRequest'],
    ['is told to be absent when it never was', { cached: placedMachine({ metadata: DELETING }) }, 'tell Absent'],
    ['is told to be absent, and no more, once that was told', { cached: gone }, 'tell Absent'],
    ['is never started', { live: placedMachine({ metadata: DELETING }) }, 'tell Absent'],
  ];
  for (const [title, snapshot, expected] of table) {
    it(title, () => expect(planText(planDomain(domainSnapshot(snapshot)))).to.equal(expected));
  }
});

describe('a guest that is to be let go when its VM is deleted', () => {
  const spec = { deletionPolicy: 'Release' } as const;
  const vm = runningMachine({ metadata: DELETING, spec });
  const failed: SnapshotChanges['memory'] = {
    restarts: 0,
    failedStep: { kind: 'Release', times: 1, failedAt: NOW - 1_000, why: 'it is locked' },
  };

  const table: [string, SnapshotChanges, string][] = [
    ['is let go', { live: vm, domain: domainOf(vm) }, 'Release'],
    ['is let go whatever its state is', { live: vm, domain: domainOf(vm, { powerState: 'Unknown' }) }, 'Release'],
    ['is let go where it is off', { live: vm, domain: domainOff(vm, 'Shutdown') }, 'Release'],
    [
      'is kept as it is where its memory is: that bears our marks, too',
      { live: vm, domain: domainOff(vm, 'Saved', { hasImage: true }) },
      'tell Absent',
    ],
    ['is verified before', { cached: vm, domain: domainOf(vm) }, 'verify'],
    [
      'is gone for the VM once it bears no marks',
      { live: vm, domain: domainOf(vm, { metadata: null }) },
      'tell Absent',
    ],
    ['is gone for the VM where it is gone', { live: vm }, 'tell Absent'],
    [
      'is told to run while it cannot be let go',
      { live: vm, domain: domainOf(vm), memory: failed, now: NOW },
      'tell Running (ReleaseFailed), again in 4 s',
    ],
    [
      'is told to be off while it cannot be let go',
      { live: vm, domain: domainOff(vm, 'Shutdown'), memory: failed, now: NOW },
      'tell Stopped (ReleaseFailed), again in 4 s',
    ],
    ['is not, while its VM lives', { live: runningMachine({ spec }), domain: domainOf(vm) }, 'tell Running'],
  ];
  for (const [title, snapshot, expected] of table) {
    it(title, () => expect(planText(planDomain(domainSnapshot(snapshot)))).to.equal(expected));
  }
});

describe('a guest that bears the uuid of a VM and no marks of ours', () => {
  const vm = placedMachine();
  const stop = placedMachine({ granted: { powerState: 'Stopped' }, instance: 'Running' });
  const deleting = runningMachine({ metadata: DELETING });
  const over = placedMachine({ instance: 'Stopped' });
  const marks = { metadata: null };

  const table: [string, SnapshotChanges, string][] = [
    ['is told to run where it runs', { live: vm, domain: domainOf(vm, marks) }, 'tell Running (NotOurs)'],
    [
      'is told to be paused where it is',
      { live: vm, domain: domainOf(vm, { ...marks, powerState: 'Paused' }) },
      'tell Paused (NotOurs)',
    ],
    [
      'is told to be stopping where it is',
      { live: vm, domain: domainOf(vm, { ...marks, powerState: 'ShuttingDown' }) },
      'tell Stopping (NotOurs)',
    ],
    [
      'is looked at again where its state is not known',
      { live: vm, domain: domainOf(vm, { ...marks, powerState: 'Unknown' }) },
      'nothing, again in 5 s',
    ],
    [
      'is not replaced by the VM: the node refuses it',
      { live: vm, domain: domainOff(vm, 'Shutdown', marks) },
      'tell Refused (NotOurs)',
    ],
    ['is left off once the epoch is over', { live: over, domain: domainOff(over, 'Shutdown', marks) }, 'nothing'],
    ['is not stopped', { live: stop, domain: domainOf(stop, marks) }, 'tell Running (NotOurs)'],
    [
      'ends the epoch when it is off and should be',
      { live: stop, domain: domainOff(stop, 'Shutdown', marks) },
      'tell Stopped (NotOurs)',
    ],
    [
      'is not stopped when its VM is deleted',
      { live: deleting, domain: domainOf(deleting, marks) },
      'tell Running (NotOurs)',
    ],
    [
      'is not removed when its VM is deleted',
      { live: deleting, domain: domainOff(deleting, 'Shutdown', marks) },
      'tell Absent (NotOurs)',
    ],
  ];
  for (const [title, snapshot, expected] of table) {
    it(title, () => expect(planText(planDomain(domainSnapshot(snapshot)))).to.equal(expected));
  }
});
