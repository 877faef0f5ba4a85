import { expect } from 'chai';
import { findCondition } from '#crds/conditions.ts';
import { type VirtualMachine, virtualMachineKind } from '#crds/v1alpha1/virtual-machine.ts';
import { instanceStates, type VirtualMachineStatus } from '#crds/v1alpha1/virtual-machine-status.ts';
import { validatorFor } from '#crds/validate.ts';
import { domainOf, domainOff, domainSnapshot, type SnapshotChanges } from '#test/builders/domain.ts';
import { TIME, timeAfter } from '#test/builders/time.ts';
import { uuidFor } from '#test/builders/uuid.ts';
import { newMachine, placedMachine, runningMachine } from '#test/builders/virtual-machine.ts';
import type { Report } from './actions.ts';
import { statusAfter, tellsNews } from './status.ts';

const LATER = timeAfter(60);
const CRASHED = { reason: 'Crashed', initiator: 'Unknown', message: 'The guest crashed.' } as const;

function told(report: Report, vm: VirtualMachine, changes: SnapshotChanges = {}): VirtualMachineStatus {
  return statusAfter(report, { vm, snapshot: domainSnapshot({ cached: vm, ...changes }), time: LATER });
}

function shown(status: VirtualMachineStatus, type: string) {
  const { status: holds, reason, message } = findCondition(status.conditions, type) ?? {};
  return `${holds} ${reason}: ${message}`;
}

describe('the status of a VM after its guest was started', () => {
  const vm = placedMachine({ status: { conditions: newMachine().status?.conditions ?? [], phase: 'Starting' } });
  const addresses = [{ ip: '192.0.2.7', interface: 'net0', source: 'Lease' as const }];
  const status = told({ powerState: 'Running' }, vm, { domain: domainOf(vm), addresses });

  it('says what runs, where, by which permission and since when', () => {
    expect(status.instance).to.deep.equal({
      epoch: 1,
      generation: 1,
      decisionID: vm.status?.granted?.decisionID,
      powerState: 'Running',
      resources: { cpus: 1, memory: '1Gi' },
      uuid: vm.metadata.uid,
      bootID: uuidFor('boot of hv1'),
      since: LATER,
    });
    expect(status.addresses).to.deep.equal(addresses);
  });

  it('says so in conditions and phase, with one transition', () => {
    expect(shown(status, 'Ready')).to.equal('True Running: Running on hv1.');
    expect(shown(status, 'Provisioned')).to.equal('True Defined: The guest is defined on hv1.');
    expect(shown(status, 'PowerStateSynced')).to.equal('True Synced: Granted is Running, observed is Running.');
    expect(shown(status, 'InstancePresent')).to.equal('True Present: The guest is there.');
    expect(status.phase).to.equal('Running');
    expect(status.transitions).to.deep.equal([{ seq: 1, type: 'Running', time: LATER, cause: 'Running on hv1.' }]);
  });

  it('gives the cause of the transition, where there is one to tell', () => {
    const cause = 'Started again.';
    const causes = (before: VirtualMachine) => {
      const { transitions } = told({ powerState: 'Running', cause }, before, { domain: domainOf(before) });
      return transitions?.map(({ type, cause: why }) => `${type}: ${why}`);
    };
    const failed = { seq: 1, type: 'Failed', time: TIME, cause: 'It crashed.' };
    const crashed = placedMachine({ instance: 'Crashed', status: { phase: 'Failed', transitions: [failed] } });
    expect(causes(crashed)).to.deep.equal(['Failed: It crashed.', 'Running: Started again.']);
    const runs = placedMachine({ instance: 'Running', status: { phase: 'Running', transitions: [failed] } });
    expect(causes(runs), 'no change').to.deep.equal(['Failed: It crashed.']);
  });

  it('leaves what is not the daemon’s as it was', () => {
    const { granted, placement, observedGeneration } = vm.status ?? {};
    expect(status).to.deep.include({ granted, placement, observedGeneration });
  });
});

describe('the status that a daemon writes', () => {
  it('is one that the API server takes, whatever is told', () => {
    const validate = validatorFor(virtualMachineKind);
    for (const powerState of instanceStates) {
      for (const report of [
        { powerState },
        { powerState, termination: CRASHED, fault: { code: 'NoRoom', reason: 'No.' } },
      ]) {
        const vm = placedMachine();
        const verdict = validate({ ...vm, status: told(report, vm, { domain: domainOf(vm) }) });
        expect(verdict.valid ? [] : verdict.errors, powerState).to.deep.equal([]);
      }
    }
  });

  it('keeps since when it has been so', () => {
    const vm = runningMachine();
    expect(told({ powerState: 'Running' }, vm, { domain: domainOf(vm) }).instance?.since).to.equal(TIME);
    const next = runningMachine({ placement: { epoch: 2 }, instance: { powerState: 'Running', epoch: 1 } });
    expect(told({ powerState: 'Running' }, next, { domain: domainOf(next) }).instance?.since).to.equal(LATER);
  });

  it('keeps the time of an end that was told before, and gives a new one its own', () => {
    const lastTermination = { ...CRASHED, time: TIME };
    const known = placedMachine({ instance: 'Crashed', status: { lastTermination } });
    expect(told({ powerState: 'Crashed', termination: CRASHED }, known).lastTermination?.time).to.equal(TIME);
    const again = placedMachine({ instance: 'Running', status: { lastTermination } });
    expect(told({ powerState: 'Crashed', termination: CRASHED }, again).lastTermination?.time).to.equal(LATER);
  });

  it('keeps the last end where there is none to tell', () => {
    const lastTermination = { ...CRASHED, time: TIME };
    const vm = placedMachine({ status: { lastTermination } });
    expect(told({ powerState: 'Running' }, vm, { domain: domainOf(vm) }).lastTermination).to.deep.equal(
      lastTermination,
    );
  });

  it('says what the guest has, where that is not what was granted', () => {
    const built = runningMachine();
    const vm = runningMachine({ spec: { resources: { cpus: 2, memory: '2Gi' } }, metadata: { generation: 2 } });
    const status = told({ powerState: 'Running' }, vm, { domain: domainOf(built) });
    expect(status.instance?.resources).to.deep.equal({ cpus: 1, memory: '1Gi' });
    expect(status.pendingChanges?.map(({ field }) => field)).to.deep.equal([
      'spec.resources.cpus',
      'spec.resources.memory',
    ]);
    expect(shown(status, 'RestartRequired')).to.match(/^True SpecChanged: status.pendingChanges lists/);
    expect(shown(status, 'Ready')).to.match(/^False RestartRequired: .*spec.resources.cpus, spec.resources.memory/);
  });

  it('drops what belonged to the running guest when it is off', () => {
    const addresses = [{ ip: '192.0.2.7', source: 'Lease' as const }];
    const pendingChanges = [{ field: 'spec.resources.cpus', current: '1', desired: '2' }];
    const vm = runningMachine({ status: { addresses, pendingChanges } });
    const status = told({ powerState: 'Stopped', termination: CRASHED }, vm, { domain: domainOff(vm, 'Crashed') });
    expect(status).not.to.have.any.keys('addresses', 'pendingChanges');
    expect(status.instance).not.to.have.property('resources');
    expect(findCondition(status.conditions, 'RestartRequired')).to.equal(undefined);
  });
});

describe('the news in a status', () => {
  const vm = placedMachine();
  const known = told({ powerState: 'Running' }, vm, { domain: domainOf(vm) });

  it('are none where only the spec changed', () => {
    const changed = { ...vm, metadata: { ...vm.metadata, generation: 2 }, status: known };
    const status = told({ powerState: 'Running' }, changed, { domain: domainOf(vm) });
    expect(status).not.to.deep.equal(known);
    expect(tellsNews(known, status)).to.equal(false);
  });

  it('are another state, an address, an end, a pending change or a fault', () => {
    const news: VirtualMachineStatus[] = [
      told({ powerState: 'Paused' }, { ...vm, status: known }, { domain: domainOf(vm) }),
      { ...known, addresses: [{ ip: '192.0.2.7', source: 'Lease' }] },
      { ...known, lastTermination: { ...CRASHED, time: TIME } },
      { ...known, pendingChanges: [{ field: 'spec.boot', current: 'a', desired: 'b' }] },
      told(
        { powerState: 'Running', fault: { code: 'NotOurs', reason: 'No.' } },
        { ...vm, status: known },
        { domain: domainOf(vm) },
      ),
    ];
    expect(news.map((status) => tellsNews(known, status))).to.deep.equal(news.map(() => true));
    expect(tellsNews(undefined, known)).to.equal(true);
  });
});

describe('the words about a guest that is', () => {
  const vm = placedMachine();
  const off = domainOff(vm, 'Shutdown');
  const gone = { reason: 'Vanished', initiator: 'Host', message: 'The guest vanished.' } as const;
  const table: [string, VirtualMachineStatus, string, string][] = [
    [
      'refused',
      told({ powerState: 'Refused', fault: { code: 'NoRoom', reason: 'CPUs needed: 2, free: 1.' } }, vm),
      'Provisioned',
      'False NoRoom: CPUs needed: 2, free: 1.',
    ],
    ['removed', told({ powerState: 'Absent' }, vm), 'Provisioned', 'False Removed: The guest was removed.'],
    [
      'removed',
      told({ powerState: 'Absent', termination: CRASHED }, vm),
      'InstancePresent',
      'False Absent: There is no guest of this VM any more.',
    ],
    [
      'off',
      told({ powerState: 'Stopped' }, vm, { domain: off }),
      'Provisioned',
      'True Defined: The guest is defined on hv1.',
    ],
    [
      'off',
      told({ powerState: 'Stopped' }, vm, { domain: off }),
      'InstancePresent',
      'False Stopped: There is no running guest: Stopped.',
    ],
    [
      'off',
      told({ powerState: 'Stopped' }, vm, { domain: off }),
      'PowerStateSynced',
      'False Stopped: Granted is Running, observed is Stopped.',
    ],
    [
      'missing',
      told({ powerState: 'Missing', termination: gone }, vm),
      'InstancePresent',
      'False Missing: The guest vanished.',
    ],
    [
      'missing',
      told({ powerState: 'Missing', termination: gone }, vm),
      'Provisioned',
      'False NotDefined: The guest is not defined on hv1.',
    ],
    [
      'about to be defined',
      told({ powerState: 'Starting' }, vm),
      'Provisioned',
      'Unknown Defining: The guest is being defined on hv1.',
    ],
    [
      'crashed',
      told({ powerState: 'Crashed', termination: CRASHED }, vm, { domain: off }),
      'InstancePresent',
      'False Crashed: The guest crashed.',
    ],
  ];
  for (const [state, status, type, words] of table) {
    it(`${state}: ${type} is ${words}`, () => expect(shown(status, type)).to.equal(words));
  }
});
