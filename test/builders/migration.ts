// VMs that move from hv1 to hv2, of which a test says only what differs.
import type { Migration, MigrationPlan } from '#crds/v1alpha1/migration-status.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import { TIME, timeAfter } from './time.ts';
import { uuidFor } from './uuid.ts';
import { type PlacedChanges, runningMachine } from './virtual-machine.ts';

export interface MovingChanges extends PlacedChanges {
  readonly plan?: Partial<MigrationPlan>;
  /** What the daemon of the source said last. */
  readonly source?: NonNullable<Migration['source']>['state'];
  /** What the daemon of the target said last. */
  readonly target?: NonNullable<Migration['target']>['state'];
  readonly verdict?: NonNullable<Migration['verdict']>['result'];
}

const PLAN: MigrationPlan = {
  attempt: 1,
  source: 'hv1',
  target: 'hv2',
  targetUID: uuidFor('hv2'),
  epoch: 2,
  address: 'simulated://hv2',
  step: 'Move',
  requestedBy: 'maintenance of hv1',
  reason: 'hv2 is the only hypervisor that fits.',
  time: TIME,
  deadline: timeAfter(660),
  timeoutSeconds: 600,
};

/** Runs on hv1 under epoch 1, and is to move to hv2: nobody has answered yet. */
export function movingMachine({ plan, source, target, verdict, ...changes }: MovingChanges = {}): VirtualMachine {
  const vm = runningMachine(changes);
  const said = { attempt: 1, time: TIME };
  const migration: Migration = {
    plan: { ...PLAN, ...plan },
    ...(source === undefined ? {} : { source: { ...said, state: source } }),
    ...(target === undefined ? {} : { target: { ...said, state: target } }),
    ...(verdict === undefined ? {} : { verdict: { ...said, result: verdict, reason: 'It is so.' } }),
  };
  return { ...vm, status: { ...vm.status, migration } };
}
