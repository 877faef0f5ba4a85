import { expect } from 'chai';
import fc from 'fast-check';
import { powerStates } from '#crds/v1alpha1/virtual-machine-spec.ts';
import { instanceStates } from '#crds/v1alpha1/virtual-machine-status.ts';
import { arbitraryMachine } from '#test/builders/arbitrary-machine.ts';
import { type Given, machine, statusOf } from '#test/builders/given-facts.ts';
import { TIME } from '#test/builders/time.ts';
import { deriveStatus } from './derive-status.ts';
import { verdictOf } from './verdict.ts';

// phase, Ready, progress, reason: the table that docs/spec publishes.
const table: [string, Given, string, boolean, string, string][] = [
  [
    'running, to grow once there is room',
    { instance: 'Running', resizePending: true },
    'Running',
    false,
    'Reconciling',
    'ResizePendingReason',
  ],
  ['a new object', { granted: false, placed: false }, 'Pending', false, 'Reconciling', 'Pending'],
  ['a denied start', { granted: false, placed: false, denied: true }, 'Pending', false, 'Stalled', 'AuthorizedReason'],
  [
    'a denied change of a running VM',
    { denied: true, instance: 'Running' },
    'Running',
    false,
    'Stalled',
    'AuthorizedReason',
  ],
  ['no room anywhere', { placed: false, unplaceable: true }, 'Scheduling', false, 'Reconciling', 'PlacedReason'],
  ['granted, not yet placed', { placed: false }, 'Scheduling', false, 'Reconciling', 'Scheduling'],
  ['placed, not yet reported', {}, 'Starting', false, 'Reconciling', 'Starting'],
  [
    'a report of an earlier epoch',
    { instance: 'Stopped', instanceEpoch: 1 },
    'Starting',
    false,
    'Reconciling',
    'Starting',
  ],
  ['a slow start', { instance: 'Starting' }, 'Starting', false, 'Reconciling', 'Starting'],
  ['refused by its hypervisor', { instance: 'Refused' }, 'Scheduling', false, 'Reconciling', 'Refused'],
  ['running', { instance: 'Running' }, 'Running', true, 'Settled', 'Running'],
  [
    'running, its spec just changed',
    { instance: 'Running', generation: 2 },
    'Running',
    false,
    'Reconciling',
    'Deciding',
  ],
  [
    'running, the change not yet taken up',
    { instance: 'Running', generation: 2, granted: { generation: 2 } },
    'Running',
    false,
    'Reconciling',
    'Applying',
  ],
  [
    'running, a change waiting for a restart',
    { instance: 'Running', pending: true },
    'Running',
    false,
    'Settled',
    'RestartRequired',
  ],
  ['paused on the host', { instance: 'Paused' }, 'Paused', false, 'Stalled', 'PausedOnHost'],
  ['crashed, restart ahead', { instance: 'Crashed', ended: 'Crashed' }, 'Failed', false, 'Reconciling', 'Crashed'],
  [
    'crashed, policy Never',
    { instance: 'Stopped', ended: 'Crashed', restartPolicy: 'Never' },
    'Failed',
    false,
    'Stalled',
    'Crashed',
  ],
  [
    'powered off by the guest, OnFailure',
    { instance: 'Stopped', ended: 'StoppedByGuest' },
    'Stopped',
    false,
    'Stalled',
    'StoppedByGuest',
  ],
  [
    'powered off by the guest, Never',
    { instance: 'Stopped', ended: 'StoppedByGuest', restartPolicy: 'Never' },
    'Stopped',
    true,
    'Settled',
    'Completed',
  ],
  [
    'powered off by the guest, Always',
    { instance: 'Stopped', ended: 'StoppedByGuest', restartPolicy: 'Always' },
    'Stopped',
    false,
    'Reconciling',
    'Restarting',
  ],
  [
    'crashed, policy changed from Never to OnFailure',
    { instance: 'Stopped', ended: 'Crashed' },
    'Stopped',
    false,
    'Reconciling',
    'Restarting',
  ],
  [
    'stopped as asked before, asked to run by now',
    { instance: 'Stopped', ended: 'StoppedByRequest', restartPolicy: 'Never' },
    'Stopped',
    false,
    'Reconciling',
    'Restarting',
  ],
  [
    'declared running after a stop, no room',
    { instance: 'Stopped', ended: 'StoppedByGuest', unplaceable: true },
    'Scheduling',
    false,
    'Reconciling',
    'PlacedReason',
  ],
  [
    'powered off by the guest, restart ahead',
    { instance: 'Starting', ended: 'StoppedByGuest', restartPolicy: 'Always' },
    'Starting',
    false,
    'Reconciling',
    'Restarting',
  ],
  [
    'stopped, declared running a moment ago',
    { powerState: 'Running', generation: 2, granted: { powerState: 'Stopped' }, instance: 'Stopped' },
    'Stopped',
    false,
    'Reconciling',
    'Deciding',
  ],
  [
    'declared stopped, its guest not ours any more',
    { powerState: 'Stopped', instance: 'Running', obstacle: 'NotOurs' },
    'Stopping',
    false,
    'Stalled',
    'NotOurs',
  ],
  [
    'deleted, its guest not ours any more',
    { deleting: true, instance: 'Running', obstacle: 'NotOurs' },
    'Terminating',
    false,
    'Stalled',
    'NotOurs',
  ],
  [
    'deleted, its guest cannot be switched off',
    { deleting: true, instance: 'Stopping', obstacle: 'StopFailed' },
    'Terminating',
    false,
    'Stalled',
    'StopFailed',
  ],
  [
    'deleted, its guest cannot be removed',
    { deleting: true, instance: 'Stopped', obstacle: 'RemoveFailed' },
    'Terminating',
    false,
    'Stalled',
    'RemoveFailed',
  ],
  ['running, its guest not ours', { instance: 'Running', obstacle: 'NotOurs' }, 'Running', false, 'Stalled', 'NotOurs'],
  ['paused, its guest not ours', { instance: 'Paused', obstacle: 'NotOurs' }, 'Paused', false, 'Stalled', 'NotOurs'],
  [
    'running when it was seen last, its state not known',
    { instance: 'Running', obstacle: 'StateUnknown' },
    'Running',
    false,
    'Stalled',
    'StateUnknown',
  ],
  [
    'never seen running, its state not known',
    { instance: 'Starting', obstacle: 'StateUnknown' },
    'Starting',
    false,
    'Stalled',
    'StateUnknown',
  ],
  ['missing, Hold', { instance: 'Missing', ended: 'Vanished' }, 'Missing', false, 'Stalled', 'Missing'],
  [
    'missing, Recreate',
    { instance: 'Missing', ended: 'Vanished', onMissing: 'Recreate' },
    'Missing',
    false,
    'Reconciling',
    'Missing',
  ],
  [
    'moved away by hand, Recreate',
    { instance: 'Missing', ended: 'MovedAway', onMissing: 'Recreate' },
    'Missing',
    false,
    'Stalled',
    'Missing',
  ],
  ['its daemon silent', { instance: 'Running', silent: true }, 'Lost', false, 'Stalled', 'Lost'],
  [
    'stopped, its daemon silent',
    { powerState: 'Stopped', instance: 'Stopped', silent: true },
    'Stopped',
    true,
    'Settled',
    'Stopped',
  ],
  ['declared stopped, never started', { powerState: 'Stopped', placed: false }, 'Stopped', true, 'Settled', 'Stopped'],
  [
    'declared stopped, still running',
    { powerState: 'Stopped', instance: 'Running' },
    'Stopping',
    false,
    'Reconciling',
    'Stopping',
  ],
  [
    'declared stopped, shutting down',
    { powerState: 'Stopped', instance: 'Stopping' },
    'Stopping',
    false,
    'Reconciling',
    'Stopping',
  ],
  [
    'declared stopped and stopped',
    { powerState: 'Stopped', instance: 'Stopped', ended: 'StoppedByRequest' },
    'Stopped',
    true,
    'Settled',
    'Stopped',
  ],
  [
    'deleted while running',
    { deleting: true, instance: 'Running' },
    'Terminating',
    false,
    'Reconciling',
    'Terminating',
  ],
  [
    'deleted, its guest gone',
    { deleting: true, instance: 'Absent' },
    'Terminating',
    false,
    'Reconciling',
    'Terminating',
  ],
  [
    'deleted while its daemon is silent',
    { deleting: true, instance: 'Running', silent: true },
    'Terminating',
    false,
    'Stalled',
    'HypervisorUnreachable',
  ],
];

describe('the verdict on a VirtualMachine', () => {
  for (const [title, given, phase, ready, progress, reason] of table) {
    it(`calls ${title} ${phase}, ${ready ? 'ready' : 'not ready'} (${reason})`, () => {
      const vm = machine(given);
      const verdict = verdictOf(vm, vm.status ?? {});
      expect(verdict).to.include({ phase, ready, progress, reason });
      expect(verdict.message).to.match(/\.$/);
    });
  }

  it('says of a VM that waits for room to grow what waits for a restart besides', () => {
    const vm = machine({ instance: 'Running', resizePending: true, pending: true });
    const verdict = verdictOf(vm, vm.status ?? {});
    expect(verdict).to.include({ phase: 'Running', ready: false, reason: 'ResizePendingReason' });
    expect(verdict.message).to.match(/^No room to grow\. Changed, but not in effect before a restart: spec\.resources/);
  });

  it('waits until the daemon has acted on the very decision', () => {
    const vm = machine({ instance: 'Running' });
    const { status = {} } = vm;
    const told = (decisionID: string) =>
      verdictOf(vm, { ...status, ...(status.instance && { instance: { ...status.instance, decisionID } }) }).reason;
    expect([told('d'), told('earlier')]).to.deep.equal(['Running', 'Applying']);
  });

  it('never calls a VM ready whose declared power state is not the observed one', () => {
    const given: fc.Arbitrary<Given> = fc.record({
      powerState: fc.constantFrom(...powerStates),
      granted: fc.record({ powerState: fc.constantFrom(...powerStates) }),
      generation: fc.constantFrom(1, 2),
      instance: fc.constantFrom(...instanceStates),
      instanceEpoch: fc.constantFrom(1, 2),
      silent: fc.boolean(),
      placed: fc.boolean(),
    });
    fc.assert(
      fc.property(given, (g) => {
        const vm = machine({ restartPolicy: 'OnFailure', ...g });
        const verdict = verdictOf(vm, vm.status ?? {});
        if (verdict.ready) expect(g.generation).to.equal(1);
        if (typeof g.granted === 'object' && g.granted.powerState !== g.powerState) return;
        if (g.powerState !== 'Stopped' && verdict.ready && verdict.reason !== 'NothingToHibernate')
          expect(g).to.include({ instance: g.powerState, instanceEpoch: 2, silent: false, placed: true });
        const isOff = g.powerState === 'Stopped' || g.powerState === 'Hibernated';
        if (isOff && g.placed && g.instance === 'Running') expect(verdict.ready).to.equal(false);
      }),
    );
  });
});

describe('deriving the status', () => {
  it('changes nothing when it is done again', () => {
    fc.assert(
      fc.property(arbitraryMachine, (vm) => {
        const once = deriveStatus(vm, vm.status ?? {}, TIME);
        expect(deriveStatus({ ...vm, status: once }, once, '2027-01-01T00:00:00Z')).to.deep.equal(once);
      }),
    );
  });

  it('appends one transition when the phase changes and none when it does not', () => {
    const vm = machine({ instance: 'Running' });
    const first = deriveStatus(vm, vm.status ?? {}, TIME);
    expect(first.transitions).to.deep.equal([{ seq: 1, type: 'Running', time: TIME, cause: 'Running on hv1.' }]);
    const second = deriveStatus({ ...vm, status: first }, first, '2026-01-02T00:00:00Z');
    expect(second).to.deep.equal(first);
  });

  it('keeps the last sixteen transitions and goes on counting', () => {
    let vm = machine({ instance: 'Running' });
    for (let turn = 0; turn < 40; turn++) {
      const next = { ...vm.status, ...statusOf({ instance: turn % 2 === 0 ? 'Running' : 'Paused' }) };
      vm = { ...vm, status: deriveStatus(vm, next, TIME) };
    }
    expect(vm.status?.transitions).to.have.length(16);
    expect(vm.status?.transitions?.at(-1)?.seq).to.equal(40);
  });

  it('shows Reconciling and Stalled only while they are true', () => {
    const types = (given: Given) => {
      const vm = machine(given);
      return deriveStatus(vm, vm.status ?? {}, TIME).conditions?.map((c) => c.type);
    };
    expect(types({})).to.deep.equal(['Ready', 'Reconciling']);
    expect(types({ instance: 'Missing' })).to.deep.equal(['Ready', 'Stalled']);
    expect(types({ instance: 'Running' })).to.deep.equal(['Ready']);
  });
});
