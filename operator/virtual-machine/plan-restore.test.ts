import { expect } from 'chai';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { Candidate } from '#operator/placement/candidate.ts';
import { candidate, GIBIBYTE } from '#test/builders/hypervisor.ts';
import { actionsText, operatorSnapshot } from '#test/builders/operator-snapshot.ts';
import { timeAfter } from '#test/builders/time.ts';
import { type PlacedChanges, placedMachine } from '#test/builders/virtual-machine.ts';
import { planVirtualMachine } from './plan.ts';
import { statusAfter } from './status.ts';

const REACHABLE = {
  type: 'HypervisorReachable',
  status: 'True',
  reason: 'Reachable',
  message: 'It is heard.',
  lastTransitionTime: timeAfter(0),
} as const;
const SILENT = { yes: false, code: 'Silent', why: 'It is silent.', brief: false } as const;
const free = (cpus: number, gibibytes: number): Candidate =>
  candidate({
    allocatable: { cpus: 8, memoryBytes: 16 * GIBIBYTE },
    assigned: { cpus: 8 - cpus, memoryBytes: (16 - gibibytes) * GIBIBYTE },
  });

/** Hibernated as generation 2 declared, with 2 CPUs and 2Gi; now generation 3 declares something else. */
function asleep(powerState: VirtualMachine['spec']['powerState'], changes: PlacedChanges = {}): VirtualMachine {
  return placedMachine({
    ...changes,
    metadata: { generation: 3, ...changes.metadata },
    spec: { powerState, resources: { cpus: 2, memory: '2Gi' }, ...changes.spec },
    granted: { generation: 2, powerState: 'Hibernated', ...changes.granted },
    placement: { runnableGeneration: 1, ...changes.placement },
    instance: changes.instance ?? { powerState: 'Hibernated', generation: 2, resources: { cpus: 2, memory: '2Gi' } },
    status: { conditions: [REACHABLE] },
  });
}

const bigger = { spec: { resources: { cpus: 4, memory: '2Gi' } } };
const notSure = { placement: { runnableGeneration: 2 } };

describe('what the operator decides of a VM that is hibernated', () => {
  const table: [string, VirtualMachine, Candidate, string][] = [
    ['and shall run: it is restored', asleep('Running'), free(2, 2), 'Grant Running'],
    ['and shall stand still: it is restored', asleep('Paused'), free(2, 2), 'Grant Paused'],
    ['and shall run, with more that fits', asleep('Running', bigger), free(4, 2), 'Grant Running'],
    [
      'and shall run, with more than fits: with what it had',
      asleep('Running', bigger),
      free(3, 2),
      'Grant Running, but less, CannotGrow NoRoomToGrow',
    ],
    [
      'and shall run where there is no room: it waits',
      asleep('Running'),
      free(1, 2),
      'Grant Hibernated, for now, CannotRestore NoRoomToRestore',
    ],
    [
      'and shall run where nobody can be asked: it waits',
      asleep('Running'),
      candidate({ reachable: SILENT }),
      'Grant Hibernated, for now, CannotRestore HypervisorUnreachable, Unreachable Silent',
    ],
    [
      'and is changed otherwise: it holds nothing, whatever it asks for',
      asleep('Hibernated', bigger),
      free(0, 0),
      'Grant Hibernated',
    ],
    ['and shall be off: its daemon sees to it', asleep('Stopped'), free(2, 2), 'Grant Stopped'],
    [
      'and shall be off where nobody can be asked: it is given up',
      asleep('Stopped'),
      candidate({ reachable: SILENT }),
      'Grant Stopped, Abandon, Unreachable Silent',
    ],
    [
      'but may have been restored since, and shall be off where nobody can be asked: nothing is given up',
      asleep('Stopped', notSure),
      candidate({ reachable: SILENT }),
      'Grant Stopped, Unreachable Silent',
    ],
    [
      'and was given up: it boots elsewhere, or here',
      asleep('Running', { granted: { generation: 2, powerState: 'Stopped' }, placement: { abandoned: true } }),
      free(2, 2),
      'Grant Running, Place hv1 (2)',
    ],
    [
      'and is deleted where nobody can be asked',
      asleep('Hibernated', { metadata: { deletionTimestamp: timeAfter(0) } }),
      candidate({ reachable: SILENT }),
      'Finalize',
    ],
  ];
  for (const [title, vm, home, expected] of table) {
    it(title, () => {
      expect(actionsText(planVirtualMachine(operatorSnapshot(vm, [home])).actions)).to.equal(expected);
    });
  }

  it('is told once why it waits, and looked at again', () => {
    const vm = asleep('Running');
    const plan = planVirtualMachine(operatorSnapshot(vm, [free(1, 2)]));
    const status = statusAfter(plan.actions, { vm, sign: () => 'signed', time: timeAfter(60) });
    expect(status.phase).to.equal('Hibernated');
    expect(status.decisions?.map(({ event, verdict }) => `${event} ${verdict}`)).to.deep.equal([
      'vm.restore.request Defer',
    ]);
    const again = planVirtualMachine(operatorSnapshot({ ...vm, status }, [free(1, 2)]));
    expect(again).to.deep.equal({ actions: [], again: 30_000, waitsForRoom: true });
    const room = planVirtualMachine(operatorSnapshot({ ...vm, status }, [free(2, 2)]));
    expect(actionsText(room.actions)).to.equal('Grant Running');
    const restored = statusAfter(room.actions, { vm: { ...vm, status }, sign: () => 'signed', time: timeAfter(90) });
    expect(restored.conditions?.map(({ type }) => type)).not.to.include('RestorePending');
    expect(restored.granted?.decisionID).to.equal(`${vm.metadata.uid}.3.restored`);
    expect(restored.placement).to.include({ epoch: 1, runnableGeneration: 3 });
  });
});

describe('what is allowed under a permission', () => {
  it('is noted when it is taken back, for whoever was not told to note it before', () => {
    const { runnableGeneration: _none, ...placement } = placedMachine().status?.placement ?? {};
    const vm = placedMachine({
      metadata: { generation: 2 },
      spec: { powerState: 'Hibernated' },
      granted: { generation: 1, powerState: 'Running' },
      instance: 'Running',
      status: { placement: placement as NonNullable<VirtualMachine['status']>['placement'] & object },
    });
    const { actions } = planVirtualMachine(operatorSnapshot(vm));
    const status = statusAfter(actions, { vm, sign: () => 'signed', time: timeAfter(60) });
    expect(status.placement?.runnableGeneration).to.equal(1);
  });

  it('keeps how CPU time was shared out for it where it goes on with what it had', () => {
    const had = { cpus: 2, memory: '2Gi', cpuReservation: '500m', cpuShares: 5120, cpuLimit: '1' };
    const vm = asleep('Running', {
      spec: { resources: { ...had, cpus: 4 } },
      instance: { powerState: 'Hibernated', generation: 2, resources: had },
    });
    const allocatable = { cpus: 2, memoryBytes: 4 * GIBIBYTE, guaranteed: { cpuMillis: 2000, memoryBytes: 0 } };
    const { actions } = planVirtualMachine(operatorSnapshot(vm, [candidate({ allocatable })]));
    const [grant] = actions.flatMap((action) => (action.kind === 'Grant' ? [action.granted.resources] : []));
    expect(grant).to.deep.equal(had);
  });
});
