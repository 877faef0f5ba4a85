import { expect } from 'chai';
import { FORCE_DELETE_ANNOTATION } from '#crds/v1alpha1/names.ts';
import type { LastTermination } from '#crds/v1alpha1/virtual-machine-status.ts';
import type { Candidate } from '#operator/placement/candidate.ts';
import { condition } from '#test/builders/condition.ts';
import { candidate, GIBIBYTE } from '#test/builders/hypervisor.ts';
import { actionsText, operatorSnapshot } from '#test/builders/operator-snapshot.ts';
import { TIME } from '#test/builders/time.ts';
import { newMachine, type PlacedChanges, placedMachine, runningMachine } from '#test/builders/virtual-machine.ts';
import { planVirtualMachine } from './plan.ts';
import type { Snapshot } from './snapshot.ts';

const SILENT = candidate({
  reachable: { yes: false, code: 'Silent', why: 'The daemon of hv1 is silent.', brief: false },
});
const cutOff = { yes: false, code: 'DriverDisconnected', why: 'hv1 does not answer.' } as const;
const CUT_OFF = candidate({ reachable: { ...cutOff, brief: false } });
const JUST_CUT_OFF = candidate({ reachable: { ...cutOff, brief: true } });
const FULL = candidate({ assigned: { cpus: 8, memoryBytes: 16 * GIBIBYTE } });
const OTHER = candidate({ name: 'hv2' });
const DELETING = { deletionTimestamp: TIME };

function forced(hypervisor: string) {
  return { ...DELETING, annotations: { [FORCE_DELETE_ANNOTATION]: hypervisor } };
}

function ended(reason: LastTermination['reason']): LastTermination {
  return { reason, initiator: 'Unknown', time: TIME, message: `${reason}.` };
}

function conditions(...all: Parameters<typeof condition>[]) {
  return { status: { conditions: all.map((one) => condition(...one)) } };
}

type Row = [
  string,
  PlacedChanges | Parameters<typeof operatorSnapshot>[0],
  readonly Candidate[],
  string,
  Partial<Snapshot>?,
];

function check(rows: readonly Row[]): void {
  for (const [title, given, candidates, expected, changes] of rows) {
    const vm = 'kind' in given ? given : placedMachine(given);
    it(title, () => {
      expect(actionsText(planVirtualMachine(operatorSnapshot(vm, candidates, changes)).actions)).to.equal(expected);
    });
  }
}

describe('what the operator decides of a VM that asks to run', () => {
  const changed = { metadata: { generation: 2 }, granted: { generation: 1 } };
  check([
    ['is to grant and place it at once', newMachine(), [candidate()], 'Grant Running, Place hv1 (1)'],
    [
      'is to grant it, and say so where there is no hypervisor',
      newMachine(),
      [],
      'Grant Running, CannotPlace NoHypervisors',
    ],
    [
      'is to grant it, and say so where there is no room',
      newMachine(),
      [FULL],
      'Grant Running, CannotPlace TooFewCpus',
    ],
    ['is nothing while it runs', { instance: 'Running' }, [candidate()], 'Reachable'],
    [
      'is nothing once all is said',
      runningMachine(conditions(['HypervisorReachable', 'True', { reason: 'Reachable' }])),
      [candidate()],
      'nothing',
    ],
    [
      'is to grant a change without moving what runs',
      { ...changed, instance: 'Running' },
      [candidate(), OTHER],
      'Grant Running, Reachable',
    ],
    ['is to place it anew once its hypervisor refused it', { instance: 'Refused' }, [OTHER], 'Place hv2 (2)'],
    [
      'is to pass over the hypervisor that refused it',
      { instance: 'Refused' },
      [candidate()],
      'CannotPlace RefusedIt',
      { refusedBy: ['hv1'] },
    ],
    ['is to place it anew once its guest was removed', { instance: 'Absent' }, [candidate()], 'Place hv1 (2)'],
    ['is nothing before the permission was used or given back', {}, [candidate(), OTHER], 'Reachable'],
    [
      'is nothing on a report about an earlier permission',
      { placement: { epoch: 2 }, instance: { powerState: 'Stopped', epoch: 1 } },
      [candidate()],
      'Reachable',
    ],
    ['is nothing while it is missing', { instance: 'Missing' }, [candidate(), OTHER], 'Reachable'],
    [
      'is nothing while its node is about to start it again',
      { instance: 'Crashed' },
      [candidate(), OTHER],
      'Reachable',
    ],
  ]);
});

describe('what the operator decides of a VM whose guest stopped', () => {
  const stopped = (changes: PlacedChanges = {}): PlacedChanges => ({ instance: 'Stopped', ...changes });
  const declaredStopped = { metadata: { generation: 2 }, granted: { generation: 1, powerState: 'Stopped' as const } };
  check([
    ['is nothing when it was declared so', stopped({ spec: { powerState: 'Stopped' } }), [candidate()], 'nothing'],
    [
      'is to place it when it is declared running',
      stopped(declaredStopped),
      [candidate()],
      'Grant Running, Place hv1 (2)',
    ],
    ['is to place it anywhere', stopped(declaredStopped), [FULL, OTHER], 'Grant Running, Place hv2 (2)'],
    [
      'is to wait for room when it is declared running',
      stopped(declaredStopped),
      [FULL],
      'Grant Running, CannotPlace TooFewCpus',
    ],
    ['is to place it once there is room', stopped(conditions(['Placed', 'False'])), [candidate()], 'Place hv1 (2)'],
    [
      'is nothing when it powered itself off',
      stopped({ status: { lastTermination: ended('StoppedByGuest') } }),
      [candidate()],
      'nothing',
    ],
    [
      'is to start it again when the policy became Always',
      stopped({ spec: { restartPolicy: 'Always' }, status: { lastTermination: ended('StoppedByGuest') } }),
      [candidate()],
      'Place hv1 (2)',
    ],
    [
      'is to start it again when it crashed and the policy became OnFailure',
      stopped({ status: { lastTermination: ended('Crashed') } }),
      [candidate()],
      'Place hv1 (2)',
    ],
    [
      'is to start it again when it was declared running before it had stopped',
      stopped({ status: { lastTermination: ended('StoppedByRequest') } }),
      [candidate()],
      'Place hv1 (2)',
    ],
  ]);
});

describe('what the operator decides of a VM that is declared stopped', () => {
  const spec = { powerState: 'Stopped' } as const;
  check([
    ['is to grant that and place it nowhere', newMachine({ spec }), [candidate()], 'Grant Stopped'],
    [
      'is to grant that to whoever runs it',
      { spec, metadata: { generation: 2 }, granted: { generation: 1, powerState: 'Running' }, instance: 'Running' },
      [candidate()],
      'Grant Stopped, Reachable',
    ],
  ]);
});

describe('what the operator says of a VM whose hypervisor', () => {
  const unreachable = { ...conditions(['HypervisorReachable', 'False', { reason: 'Silent' }]) };
  check([
    ['is silent: it may run, and nothing is done', { instance: 'Running' }, [SILENT, OTHER], 'Unreachable Silent'],
    ['has lost its own hypervisor', { instance: 'Running' }, [CUT_OFF, OTHER], 'Unreachable DriverDisconnected'],
    [
      'has lost its own hypervisor a moment ago: nothing yet',
      { instance: 'Running' },
      [JUST_CUT_OFF, OTHER],
      'nothing',
    ],
    [
      'has lost its own hypervisor, as an earlier operator told: still so',
      { instance: 'Running', ...unreachable },
      [JUST_CUT_OFF],
      'nothing',
    ],
    ['is gone from the API', { instance: 'Running' }, [OTHER], 'Unreachable HypervisorGone'],
    ['is silent still: nothing more', { instance: 'Running', ...unreachable }, [SILENT], 'nothing'],
    ['is heard again', { instance: 'Running', ...unreachable }, [candidate()], 'Reachable'],
    ['is silent, of a VM that had stopped: nothing', { instance: 'Stopped' }, [SILENT], 'nothing'],
    [
      'is heard again, of a VM that stopped meanwhile',
      { instance: 'Stopped', ...unreachable },
      [candidate()],
      'Reachable',
    ],
    [
      'is silent, of a VM that is granted a change meanwhile',
      { instance: 'Running', metadata: { generation: 2 }, granted: { generation: 1 } },
      [SILENT],
      'Grant Running, Unreachable Silent',
    ],
  ]);
});

describe('what the operator decides of a VM that is being deleted', () => {
  check([
    ['is to let it go where it was never placed', newMachine({ metadata: DELETING }), [candidate()], 'Finalize'],
    ['is to let it go where the guest is gone', { metadata: DELETING, instance: 'Absent' }, [candidate()], 'Finalize'],
    [
      'is to let it go where the guest is gone, though its hypervisor is silent',
      { metadata: DELETING, instance: 'Absent' },
      [SILENT],
      'Finalize',
    ],
    ['is to wait for its node', { metadata: DELETING, instance: 'Running' }, [candidate()], 'Reachable'],
    [
      'is to wait for its node to remove a guest that is off',
      { metadata: DELETING, instance: 'Stopped' },
      [candidate()],
      'nothing',
    ],
    [
      'is to let it go where the guest had ended before its node fell silent',
      { metadata: DELETING, instance: 'Stopped' },
      [SILENT],
      'Finalize',
    ],
    [
      'is to let it go where the guest had ended before its node was removed',
      { metadata: DELETING, instance: 'Refused' },
      [],
      'Finalize',
    ],
    [
      'is to show so where nobody else can',
      {
        metadata: DELETING,
        instance: 'Running',
        ...conditions(['HypervisorReachable', 'False', { reason: 'Silent' }]),
      },
      [SILENT],
      'ShowDeletion',
    ],
    [
      'is to wait where nobody can say whether the guest runs',
      { metadata: DELETING, instance: 'Running' },
      [SILENT],
      'Unreachable Silent',
    ],
    [
      'is to let it go where somebody accepted that its guest may run on',
      { metadata: forced('hv1'), instance: 'Running' },
      [SILENT],
      'Finalize, by force',
    ],
    [
      'is to let it go by force where its node could be asked, too: whoever did so was told what he waits for',
      { metadata: forced('hv1'), instance: 'Running' },
      [candidate()],
      'Finalize, by force',
    ],
    [
      'is to let it go as any other where its guest is gone by then',
      { metadata: forced('hv1'), instance: 'Absent' },
      [candidate()],
      'Finalize',
    ],
    [
      'is to wait where the risk was accepted for another hypervisor',
      { metadata: forced('hv2'), instance: 'Running' },
      [SILENT],
      'Unreachable Silent',
    ],
    [
      'is to wait where its node may be able to say so in a moment',
      { metadata: DELETING, instance: 'Stopped' },
      [JUST_CUT_OFF],
      'nothing',
    ],
    ['is to wait where the permission was never answered', { metadata: DELETING }, [], 'Unreachable HypervisorGone'],
    [
      'is to wait on a report about an earlier permission',
      { metadata: DELETING, placement: { epoch: 2 }, instance: { powerState: 'Absent', epoch: 1 } },
      [SILENT],
      'Unreachable Silent',
    ],
    [
      'is neither to grant nor to place',
      newMachine({ metadata: { ...DELETING, finalizers: ['other/finalizer'] } }),
      [candidate()],
      'nothing',
    ],
  ]);
});

describe('a VM without a place', () => {
  const WHY =
    'None of 1 hypervisor can take it: 1 with too few free CPUs (1 needed) and with too little free memory (1Gi needed). ' +
    'The most room is on hv1: 0 CPUs and 0Mi of memory are free.';
  const known = (changes: Parameters<typeof condition>[2] = {}) =>
    newMachine({
      status: {
        granted: { generation: 1, powerState: 'Running', resources: { cpus: 1, memory: '1Gi' }, decisionID: 'd' },
        conditions: [
          condition('Placed', 'False', { reason: 'TooFewCpus', message: WHY, observedGeneration: 1, ...changes }),
        ],
      },
    });

  it('is not told so twice, and is looked at again all the same', () => {
    expect(planVirtualMachine(operatorSnapshot(known(), [FULL]))).to.deep.equal({
      actions: [],
      again: 30_000,
      waitsForRoom: true,
    });
  });

  it('is told now and then how much room there is, where that has changed', () => {
    const less = candidate({ assigned: { cpus: 8, memoryBytes: 15 * GIBIBYTE } });
    const told = (candidates: readonly Candidate[], toldAgo: number | undefined) =>
      actionsText(planVirtualMachine(operatorSnapshot(known(), candidates, { toldAgo })).actions);
    expect(told([less], 299_999)).to.equal('nothing');
    expect(told([less], 300_000)).to.equal('CannotPlace TooFewCpus');
    expect(told([less], undefined)).to.equal('CannotPlace TooFewCpus');
    expect(told([FULL], 300_000)).to.equal('nothing');
  });

  it('is told so again with another cause, or for another spec', () => {
    const cordoned = candidate({ unschedulable: true });
    expect(actionsText(planVirtualMachine(operatorSnapshot(known(), [cordoned])).actions)).to.equal(
      'CannotPlace Unschedulable',
    );
    const older = known({ observedGeneration: 0 });
    expect(actionsText(planVirtualMachine(operatorSnapshot(older, [FULL])).actions)).to.equal('CannotPlace TooFewCpus');
  });
});

describe('a placement', () => {
  const others = ['hv2', 'hv3', 'hv4', 'hv5'].map((name) => candidate({ name }));
  const alternativesAfter = (...refusedBy: string[]) => {
    const { actions } = planVirtualMachine(operatorSnapshot(newMachine(), [candidate(), ...others], { refusedBy }));
    return actions.flatMap((action) => (action.kind === 'Place' ? action.alternatives : []));
  };

  it('tells the hypervisor how many others could take the VM', () => {
    expect([alternativesAfter(), alternativesAfter('hv1', 'hv2')]).to.deep.equal([[4], [2]]);
  });

  it('is the last one after three refusals', () => {
    expect(alternativesAfter('hv1', 'hv2', 'hv3')).to.deep.equal([0]);
  });
});

describe('a grant', () => {
  it('holds what was asked, for this generation, under an identifier of its own', () => {
    const vm = newMachine({ metadata: { generation: 7 }, spec: { parameters: { class: 'batch' } } });
    const [grant] = planVirtualMachine(operatorSnapshot(vm)).actions;
    expect(grant).to.deep.include({
      kind: 'Grant',
      granted: {
        generation: 7,
        powerState: 'Running',
        resources: { cpus: 1, memory: '1Gi' },
        parameters: { class: 'batch' },
        decisionID: `${vm.metadata.uid}.7`,
      },
    });
  });
});
