import { expect } from 'chai';
import { findCondition } from '#crds/conditions.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { GrantedOperation } from '#crds/v1alpha1/virtual-machine-status.ts';
import type { Candidate } from '#operator/placement/candidate.ts';
import { planVirtualMachine } from '#operator/virtual-machine/plan.ts';
import type { Snapshot } from '#operator/virtual-machine/snapshot.ts';
import { statusAfter } from '#operator/virtual-machine/status.ts';
import { condition } from '#test/builders/condition.ts';
import { candidate, GIBIBYTE } from '#test/builders/hypervisor.ts';
import { type MovingChanges, movingMachine } from '#test/builders/migration.ts';
import { actionsText, operatorSnapshot } from '#test/builders/operator-snapshot.ts';
import { TIME, timeAfter } from '#test/builders/time.ts';
import { uuidFor } from '#test/builders/uuid.ts';
import { type PlacedChanges, runningMachine } from '#test/builders/virtual-machine.ts';
import { DEFAULT_MIGRATION } from './settings.ts';

const NOW = Date.parse(TIME);
const hv1 = candidate({ maintenance: true, unschedulable: true });
const hv2 = candidate({ name: 'hv2' });
const open1 = candidate();
const settings = DEFAULT_MIGRATION;
const movable = {
  conditions: [condition('HypervisorReachable', 'True', { reason: 'Reachable' }), condition('Migratable', 'True')],
};

function planned(
  vm: VirtualMachine,
  candidates: readonly Candidate[] = [hv1, hv2],
  changes: Partial<Snapshot> = {},
): string {
  const { actions, stays } = planVirtualMachine(operatorSnapshot(vm, candidates, { wallTime: NOW, ...changes }));
  return stays === undefined ? actionsText(actions) : `stays: ${stays}`;
}

const running = (changes: PlacedChanges = {}) => runningMachine({ status: movable, ...changes });
const moving = (changes: Parameters<typeof movingMachine>[0] = {}) => movingMachine({ status: movable, ...changes });
const busy = (at: Record<string, number>, inAll: number): Partial<Snapshot> => ({
  migrations: { settings, at: (name) => at[name] ?? 0, inAll },
});

describe('a guest that an operation has move', () => {
  const uid = uuidFor('op');
  const hv3 = candidate({ name: 'hv3' });
  const asked = (operation: Partial<GrantedOperation> = {}, changes: PlacedChanges = {}) =>
    running({ granted: { operation: { uid, name: 'op', type: 'Migrate', epoch: 1, ...operation } }, ...changes });
  const paused = asked({}, { instance: 'Paused' });
  const tried = (changes: MovingChanges = {}) =>
    moving({
      granted: { operation: { uid, name: 'op', type: 'Migrate', epoch: 1 } },
      plan: { operationUID: uid, requestedBy: 'operation op' },
      ...changes,
    });
  const withdrawn = moving({ plan: { operationUID: uid, requestedBy: 'operation op' }, source: 'Moving' });
  const table: [string, string, string][] = [
    ['moves to another', planned(asked(), [open1, hv2]), 'StartMigration hv1 to hv2 (2)'],
    [
      'moves where it is to',
      planned(asked({ hypervisors: ['hv3'] }), [open1, hv2, hv3]),
      'StartMigration hv1 to hv3 (2)',
    ],
    [
      'is told where it is to move to where it runs',
      planned(asked({ hypervisors: ['hv1'] }), [open1, hv2]),
      'Refuse: It runs on hv1 already.',
    ],
    [
      'is told where it is to move to what is not there',
      planned(asked({ hypervisors: ['hv9'] }), [open1, hv2]),
      'Refuse: There is no hypervisor hv9: check spec.hypervisorHints.',
    ],
    ['is told where there is no other', planned(asked(), [open1]), 'Refuse: There is no other hypervisor.'],
    [
      'is told where it stands still',
      planned(paused, [open1, hv2]),
      'Refuse: It is Paused: only guests that run move.',
    ],
    ['waits for other migrations', planned(asked(), [open1, hv2], busy({ hv1: 2 }, 2)), 'nothing'],
    ['is told once', planned(asked({ refused: 'So it is.' }), [open1, hv2]), 'nothing'],
    ['moves once', planned(tried({ verdict: 'Failed' }), [open1, hv2]), 'nothing'],
    ['goes on though there is no maintenance', planned(tried({ source: 'Moving' }), [open1, hv2]), 'nothing'],
    ['stays where that was withdrawn', planned(withdrawn, [open1, hv2]), 'AbortMigration'],
  ];
  for (const [what, plan, expected] of table) it(what, () => expect(plan).to.equal(expected));
});
const SIZE = { cpus: 1, memory: '1Gi' };
const RESERVED = candidate({
  name: 'hv2',
  guaranteesCpu: true,
  allocatable: { cpus: 16, memoryBytes: 32 * GIBIBYTE, guaranteed: { cpuMillis: 8000, memoryBytes: 16 * GIBIBYTE } },
  assigned: { cpus: 8, memoryBytes: 16 * GIBIBYTE, guaranteed: { cpuMillis: 7600, memoryBytes: 0 } },
});
const limited = (changes: PlacedChanges = {}) => {
  const resources = { ...SIZE, cpuLimit: '500m' };
  return running({ spec: { resources }, instance: { powerState: 'Running', resources }, ...changes });
};

describe('a guest whose hypervisor is to be emptied', () => {
  const qemu = { ...hv2.migration, type: 'qemu' };
  const table: [string, string, string][] = [
    ['moves to another', planned(running()), 'StartMigration hv1 to hv2 (2)'],
    ['stays where there is no maintenance', planned(running(), [open1, hv2]), 'nothing'],
    ['stays where there is no other', planned(running(), [hv1]), 'stays: There is no other hypervisor.'],
    [
      'stays where none has room',
      planned(running(), [hv1, candidate({ name: 'hv2', assigned: { cpus: 8, memoryBytes: 0 } })]),
      'stays: None of 1 hypervisor can take it: 1 with too few free CPUs (1 needed). The most room is on hv2: 0 CPUs and 16Gi of memory are free.',
    ],
    [
      'stays where the others cannot guarantee CPU time as they were asked',
      planned(limited(), [hv1, candidate({ name: 'hv2', guaranteesCpu: false })]),
      'stays: None of 1 hypervisor can take it: 1 that cannot guarantee or limit CPU time.',
    ],
    [
      'stays where they cannot, and it still has the limit that was taken back',
      planned(limited({ granted: { resources: SIZE } }), [hv1, candidate({ name: 'hv2', guaranteesCpu: false })]),
      'stays: None of 1 hypervisor can take it: 1 that cannot guarantee or limit CPU time.',
    ],
    [
      'stays where what is reserved for it is reserved there already',
      planned(running({ spec: { resources: { ...SIZE, cpuReservation: '500m' } } }), [hv1, RESERVED]),
      'stays: None of 1 hypervisor can take it: 1 with too few CPUs left to reserve (500m needed). The most room is on hv2: 8 CPUs and 16Gi of memory (guaranteed: 0.4 CPUs) are free.',
    ],
    [
      'stays where the others take nothing in',
      planned(running(), [hv1, candidate({ name: 'hv2', migration: { ...hv2.migration, address: undefined } })]),
      'stays: No other hypervisor could take it: hv2 takes no guests in (--migration-address).',
    ],
    [
      'stays where the others run guests with something else',
      planned(running(), [hv1, candidate({ name: 'hv2', migration: qemu })]),
      'stays: No other hypervisor could take it: hv2 runs guests with qemu, not simulated.',
    ],
    [
      'stays where the others are to be emptied, too',
      planned(running(), [hv1, candidate({ name: 'hv2', maintenance: true, unschedulable: true })]),
      'stays: None of 1 hypervisor can take it: 1 in maintenance (spec.maintenance).',
    ],
    [
      'stays where its disk is not shared with the others',
      planned(running({ spec: { disks: [{ name: 'root', pool: 'nfs', volume: 'a.raw', format: 'raw' }] } })),
      'stays: No other hypervisor could take it: hv2 does not share the pool nfs (hv2: --shared-pools).',
    ],
    [
      'stays where its own daemon says that it cannot',
      planned(running({ status: { conditions: [condition('Migratable', 'False')] } })),
      'stays: Migratable is False.',
    ],
    [
      'stays where it is paused',
      planned(running({ instance: 'Paused' })),
      'stays: It is Paused: only guests that run move.',
    ],
    [
      'waits while as many move as may',
      planned(running(), [hv1, hv2], busy({}, settings.atOnce)),
      'stays: Waits for other migrations to end.',
    ],
    [
      'waits while as many leave this hypervisor as may',
      planned(running(), [hv1, hv2], busy({ hv1: settings.perHypervisor }, 2)),
      'stays: Waits for other migrations to end.',
    ],
    [
      'waits while as many go to the others as may',
      planned(running(), [hv1, hv2], busy({ hv2: settings.perHypervisor }, 2)),
      'stays: All others are at as many migrations as they may be.',
    ],
    [
      'waits a while after an attempt that failed',
      planned(moving({ verdict: 'Failed' })),
      'stays: The last attempt failed: It is so.',
    ],
    [
      'tries again after that',
      planned(moving({ verdict: 'Failed' }), [hv1, hv2], { wallTime: NOW + 120_001 }),
      'StartMigration hv1 to hv2 (2)',
    ],
  ];
  for (const [title, plan, expected] of table) {
    it(title, () => expect(plan).to.equal(expected));
  }

  it('is counted anew with every attempt', () => {
    const snapshot = operatorSnapshot(moving({ verdict: 'Failed' }), [hv1, hv2], { wallTime: NOW + 120_001 });
    expect(planVirtualMachine(snapshot).actions).to.have.nested.property('[0].plan.attempt', 2);
  });
});

describe('a migration that is under way', () => {
  const table: [string, string, string][] = [
    ['is waited for', planned(moving()), 'nothing'],
    ['goes on where the other side is ready', planned(moving({ target: 'Ready' })), 'nothing'],
    ['is over where the other side refused', planned(moving({ target: 'Refused' })), 'EndMigration Failed'],
    [
      'comes to its end where the guest runs there',
      planned(moving({ source: 'Moving', target: 'Running' })),
      'Arrive hv1 to hv2 (2)',
    ],
    [
      'comes to its end though it was given up',
      planned(moving({ source: 'Held', target: 'Running', plan: { step: 'Abort' } })),
      'Arrive hv1 to hv2 (2)',
    ],
    [
      'comes to its end though the source cannot be asked',
      planned(moving({ source: 'Moving', target: 'Running' }), [
        candidate({ reachable: { yes: false, code: 'Silent', why: 'It is silent.', brief: false } }),
        hv2,
      ]),
      'Arrive hv1 to hv2 (2)',
    ],
    [
      'never moves what is said to have stayed',
      planned(moving({ source: 'Stayed', target: 'Running' })),
      'EndMigration Failed',
    ],
    ['is over where the guest stayed', planned(moving({ source: 'Stayed', target: 'Ready' })), 'EndMigration Failed'],
    [
      'is over where it stayed as was wanted',
      planned(moving({ source: 'Stayed', plan: { step: 'Abort' } })),
      'EndMigration Aborted',
    ],
    [
      'asks the other side where the guest stands still',
      planned(moving({ source: 'Held', target: 'Ready' })),
      'AbortMigration',
    ],
    [
      'asks the other side where the guest is gone',
      planned(moving({ source: 'Gone', target: 'Ready' })),
      'AbortMigration',
    ],
    [
      'holds while the other side has not answered',
      planned(moving({ source: 'Held', target: 'Ready', plan: { step: 'Abort' } }), [hv1, hv2], {
        wallTime: NOW + 10 ** 9,
      }),
      'nothing',
    ],
    [
      'holds while a guest that does not run there is taken back',
      planned(moving({ source: 'Held', target: 'Absent', plan: { step: 'Abort' } })),
      'nothing',
    ],
    [
      'is over where the guest ended on both sides',
      planned(moving({ source: 'Gone', target: 'Absent', plan: { step: 'Abort' } })),
      'EndMigration Failed',
    ],
    [
      'is closed at its deadline where it has not begun',
      planned(moving(), [hv1, hv2], { wallTime: NOW + 661_000 }),
      'EndMigration Aborted',
    ],
    [
      'is given up at its deadline where it has',
      planned(moving({ source: 'Moving', target: 'Ready' }), [hv1, hv2], { wallTime: NOW + 661_000 }),
      'AbortMigration',
    ],
    ['is closed when the maintenance is over', planned(moving(), [open1, hv2]), 'EndMigration Aborted'],
    [
      'is given up when the maintenance is over',
      planned(moving({ source: 'Moving', target: 'Ready' }), [open1, hv2]),
      'AbortMigration',
    ],
    [
      'is given up before the guest is stopped',
      planned(moving({ source: 'Moving', target: 'Ready', spec: { powerState: 'Stopped' } })),
      'AbortMigration',
    ],
    [
      'is given up before the guest is removed',
      planned(moving({ source: 'Moving', target: 'Ready', metadata: { deletionTimestamp: timeAfter(0) } })),
      'AbortMigration',
    ],
  ];
  for (const [title, plan, expected] of table) {
    it(title, () => expect(plan).to.equal(expected));
  }

  it('gives the permission to whoever has the guest, signed anew, and says that it has arrived', () => {
    const vm = moving({ source: 'Moving', target: 'Running' });
    const { actions } = planVirtualMachine(operatorSnapshot(vm, [hv1, hv2], { wallTime: NOW }));
    const status = statusAfter(actions, { vm, sign: (payload) => `signed ${payload.length}`, time: TIME });
    expect(status.placement).to.include({ hypervisor: 'hv2', epoch: 2 });
    expect(status.placement?.signature).to.match(/^signed/);
    expect(status.migration?.verdict).to.include({ attempt: 1, result: 'Completed' });
    expect(status.instance?.epoch, 'the report of the source').to.equal(1);
    expect([status.phase, findCondition(status.conditions, 'Ready')?.status]).to.deep.equal(['Migrating', 'True']);
  });
});

describe('while the site is on hold', () => {
  const hold = { phase: 'Waiting' } as const;
  const late = { hold, wallTime: Date.parse(timeAfter(100_000)) };

  it('no guest begins to move', () => {
    expect(planned(running(), [hv1, hv2], { hold })).to.equal('nothing');
    expect(planned(running(), [hv1, hv2], { hold: { phase: 'Over' } })).to.equal('StartMigration hv1 to hv2 (2)');
  });

  it('none is given up: its deadline may be that of a backup', () => {
    expect(planned(moving({ source: 'Moving', target: 'Ready' }), [hv1, hv2], late)).to.equal('nothing');
    expect(planned(moving({ target: 'Ready' }), [open1, hv2], { hold })).to.equal('nothing');
  });

  it('one that is told to have arrived has arrived', () => {
    expect(planned(moving({ target: 'Running' }), [hv1, hv2], late)).to.equal('Arrive hv1 to hv2 (2)');
  });
});
