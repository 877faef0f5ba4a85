import { expect } from 'chai';
import { VM_FINALIZER } from '#crds/v1alpha1/names.ts';
import type { OperationSpec } from '#crds/v1alpha1/operation-spec.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { GrantedOperation } from '#crds/v1alpha1/virtual-machine-status.ts';
import { condition } from '#test/builders/condition.ts';
import { candidate } from '#test/builders/hypervisor.ts';
import { type MovingChanges, movingMachine } from '#test/builders/migration.ts';
import { begunAt, operationFor, operationSnapshot } from '#test/builders/operation.ts';
import { TIME, timeAfter } from '#test/builders/time.ts';
import { newMachine, placedMachine, runningMachine } from '#test/builders/virtual-machine.ts';
import type { Action } from './actions.ts';
import { planOperation } from './plan.ts';
import type { Snapshot } from './snapshot.ts';
import { stageOf } from './status.ts';

const named = (name: string) => ({ metadata: { name } });
const runs = (name = 'web') => runningMachine({ ...named(name), status: { phase: 'Running' } });
const stopped = (name = 'web') =>
  placedMachine({
    ...named(name),
    spec: { powerState: 'Stopped' },
    instance: 'Stopped',
    status: { phase: 'Stopped', conditions: [condition('Ready', 'True', { observedGeneration: 1 })] },
  });

const text = (action: Action): string => {
  switch (action.kind) {
    case 'Resolve':
      return `Resolve ${action.targets.join()}`;
    case 'Begin':
      return `${action.effect.kind} ${action.name}`;
    case 'Settle':
      return `${action.result.name} ${action.result.outcome} ${action.result.reason}`;
    case 'Finish':
      return `Finish ${action.phase} ${action.code}`;
    case 'Withdraw':
      return `Withdraw ${action.vm.metadata.name}`;
    case 'Hold':
      return `Hold ${action.code}`;
    case 'Remove':
      return action.kind;
  }
};
const planned = (snapshot: Snapshot) => planOperation(snapshot).actions.map(text);

function operation(type: OperationSpec['type'], changes: Partial<OperationSpec> = {}) {
  return operationFor('op', { type, targets: { set: 'web' }, ...changes });
}

/** One target, web, that is under way. */
function following(type: OperationSpec['type'], vm: VirtualMachine | undefined, changes: Partial<OperationSpec> = {}) {
  const snapshot = operationSnapshot(operation(type, changes), vm === undefined ? [] : [vm], {
    progress: begunAt(TIME, ['web'], ['web']),
    now: Date.parse(timeAfter(7)),
  });
  return planned(snapshot);
}

/** One target, web, that may be begun. */
function beginningOn(
  type: OperationSpec['type'],
  vm: VirtualMachine | undefined,
  changes: Partial<OperationSpec> = {},
) {
  const snapshot = operationSnapshot(operation(type, changes), vm === undefined ? [] : [vm], {
    progress: begunAt(TIME, ['web']),
    next: ['web'],
  });
  return planned(snapshot);
}

describe('the plan for an operation', () => {
  it('finds its targets before anything else', () => {
    const machines = [runs('web-10'), runs('web-2'), runs('db')];
    const table: [Partial<OperationSpec>, string[]][] = [
      [{ targets: { set: 'web-*' } }, ['Resolve web-2,web-10']],
      [{ targets: { set: 'db,/web-[0-9]/' } }, ['Resolve db,web-2']],
      [{ targets: { selector: { matchLabels: { app: 'web' } } } }, ['Finish Failed NoTargets']],
      [{ targets: { set: 'web-*', hypervisors: 'hv2' } }, ['Finish Failed NoTargets']],
      [{ targets: { hypervisors: 'hv{1-2}' } }, ['Resolve db,web-2,web-10']],
      [{ targets: { set: 'db,gone' } }, ['Resolve db,gone', 'gone Failed NotFound']],
      [
        { targets: { set: 'db,gone' }, grant: 'AllOrNothing' },
        ['Resolve db,gone', 'gone Failed NotFound', 'db NotGranted AllOrNothing'],
      ],
      [{ targets: { set: 'web-{' } }, ['Finish Failed InvalidTargets']],
      [{ targets: { set: 'a-' } }, ['Finish Failed InvalidTargets']],
      [{ targets: { hypervisors: 'HV1' } }, ['Finish Failed InvalidTargets']],
      [{ cancel: true }, ['Finish Cancelled Cancelled']],
      [{ suspend: true }, ['Hold Suspended']],
    ];
    for (const [changes, actions] of table)
      expect(
        planned(operationSnapshot(operation('Shutdown', changes), machines)),
        JSON.stringify(changes),
      ).to.deep.equal(actions);
  });

  it('does nothing new while the site is on hold, and sees to its end what is under way', () => {
    const hold = { phase: 'Waiting' } as const;
    const start = operation('Start');
    expect(planned(operationSnapshot(start, [stopped()], { hold }))).to.deep.equal(['Hold SiteOnHold']);
    const progress = begunAt(TIME, ['db', 'web'], ['db']);
    const work = operationSnapshot(start, [runs('db'), stopped()], { hold, progress, next: ['web'] });
    expect(planned(work)).to.deep.equal(['db Succeeded Done']);
    expect(stageOf(start, progress, work))
      .to.have.property('message')
      .that.match(/^The site is on hold: 0 of 2 done/);
  });

  it('grants a start where there is room beside the others, and says where there is none', () => {
    const template = { spec: newMachine().spec };
    const spec = { targets: { set: 'web-{1-4}' }, template } as const;
    const small = candidate({ allocatable: { cpus: 2, memoryBytes: 2 ** 40 } });
    const snapshot = operationSnapshot(operation('Start', spec), [runs('web-1')], { candidates: [small] });
    expect(planned(snapshot)).to.deep.equal(['Resolve web-1,web-2,web-3,web-4', 'web-4 NotGranted TooFewCpus']);
  });

  it('does to a target what is still to be done', () => {
    const gone = runningMachine({ metadata: { deletionTimestamp: TIME, finalizers: [VM_FINALIZER] } });
    const younger = runningMachine({ metadata: { creationTimestamp: timeAfter(1) } });
    const template = { spec: newMachine().spec };
    expect(beginningOn('Shutdown', runs())).to.deep.equal(['Declare web']);
    expect(beginningOn('Shutdown', stopped())).to.deep.equal(['web Succeeded AlreadySo']);
    expect(beginningOn('Start', stopped())).to.deep.equal(['Declare web']);
    expect(beginningOn('Start', placedMachine())).to.deep.equal(['Await web']);
    expect(beginningOn('Start', undefined)).to.deep.equal(['web Failed NotFound']);
    expect(beginningOn('Start', undefined, { template })).to.deep.equal(['Create web']);
    expect(beginningOn('Shutdown', gone)).to.deep.equal(['web Failed BeingDeleted']);
    expect(beginningOn('Shutdown', younger)).to.deep.equal(['web Failed Replaced']);
    expect(beginningOn('Shutdown', runs(), { suspend: true })).to.deep.equal([]);
  });

  it('follows a target until it is what it shall be', () => {
    const undecided = runningMachine({
      metadata: { generation: 2 },
      granted: { generation: 1 },
      status: { phase: 'Running' },
    });
    const stalled = (reason: string) =>
      placedMachine({
        status: { phase: 'Pending', conditions: [condition('Stalled', 'True', { reason, observedGeneration: 1 })] },
      });
    expect(following('Start', runs())).to.deep.equal(['web Succeeded Done']);
    expect(following('Start', undecided)).to.deep.equal([]);
    expect(following('Start', placedMachine({ status: { phase: 'Starting' } }))).to.deep.equal([]);
    expect(following('Start', stopped())).to.deep.equal(['web Failed Superseded']);
    expect(following('Start', stalled('PolicyDenied'))).to.deep.equal(['web Failed PolicyDenied']);
    expect(following('Start', stalled('Lost'))).to.deep.equal([]);
    expect(following('Shutdown', stopped())).to.deep.equal(['web Succeeded Done']);
    expect(following('Shutdown', undefined)).to.deep.equal(['web Failed Gone']);
    expect(following('Start', placedMachine(), { cancel: true })).to.deep.equal(['web Cancelled Cancelled']);
    expect(following('Start', runs(), { cancel: true })).to.deep.equal(['web Succeeded Done']);
    expect(following('Start', placedMachine(), { deadlineSeconds: 7 })).to.deep.equal(['web Failed DeadlineExceeded']);
  });

  it('hibernates and restores what has a memory, and nothing else', () => {
    const hibernated = placedMachine({
      ...named('web'),
      spec: { powerState: 'Hibernated' },
      granted: { powerState: 'Hibernated' },
      instance: 'Hibernated',
      status: { phase: 'Hibernated', conditions: [condition('Ready', 'True', { observedGeneration: 1 })] },
    });
    expect(beginningOn('Hibernate', runs())).to.deep.equal(['Declare web']);
    expect(beginningOn('Hibernate', hibernated)).to.deep.equal(['web Succeeded AlreadySo']);
    expect(beginningOn('Hibernate', stopped())).to.deep.equal(['web Failed NotRunning']);
    expect(following('Hibernate', hibernated)).to.deep.equal(['web Succeeded Done']);
    expect(beginningOn('Restore', hibernated)).to.deep.equal(['Declare web']);
    expect(beginningOn('Restore', runs())).to.deep.equal(['web Succeeded AlreadySo']);
    expect(beginningOn('Restore', stopped())).to.deep.equal(['web Failed NotHibernated']);
  });

  it('asks for a move once, and follows it to its end', () => {
    const { uid } = operation('Migrate').metadata;
    const asked = (changes: Partial<GrantedOperation> = {}) =>
      runningMachine({
        granted: { operation: { uid, name: 'op', type: 'Migrate', epoch: 1, ...changes } },
        status: { phase: 'Running' },
      });
    const moves = (changes: MovingChanges = {}) =>
      movingMachine({ plan: { operationUID: uid, ...changes.plan }, status: { phase: 'Running' }, ...changes });
    expect(beginningOn('Migrate', runs())).to.deep.equal(['Ask web']);
    expect(beginningOn('Migrate', asked())).to.deep.equal(['Await web']);
    expect(beginningOn('Migrate', stopped())).to.deep.equal(['web Failed NotRunning']);
    expect(beginningOn('Reboot', movingMachine({ status: { phase: 'Migrating' } }))).to.deep.equal([
      'web Failed Migrating',
    ]);
    expect(following('Migrate', asked())).to.deep.equal([]);
    expect(following('Migrate', asked({ refused: 'There is no other hypervisor.' }))).to.deep.equal([
      'web Failed CannotMove',
    ]);
    expect(following('Migrate', asked({ epoch: 0 }))).to.deep.equal(['web Failed NotRunning']);
    expect(following('Migrate', moves())).to.deep.equal([]);
    expect(following('Migrate', moves({ verdict: 'Completed' }))).to.deep.equal(['web Succeeded Completed']);
    expect(following('Migrate', moves({ verdict: 'Failed' }))).to.deep.equal(['web Failed Failed']);
    expect(following('Migrate', runs())).to.deep.equal(['web Unknown Replaced']);
    expect(following('Migrate', asked(), { cancel: true })).to.deep.equal(['Withdraw web']);
  });

  it('leaves what has ended as it is, and removes it when its time is over', () => {
    const status = { phase: 'Succeeded', startTime: TIME, completionTime: TIME } as const;
    const ended = operationFor(
      'op',
      { type: 'Start', targets: { set: 'web' }, ttlSecondsAfterFinished: 60 },
      { status },
    );
    const at = (seconds: number) =>
      planOperation(operationSnapshot(ended, [runs()], { now: Date.parse(timeAfter(seconds)) }));
    expect(at(59)).to.deep.equal({ actions: [], again: 1000 });
    expect(at(60).actions.map(text)).to.deep.equal(['Remove']);
    const kept = operationFor('op', { type: 'Start', targets: { set: 'web' } }, { status });
    expect(planOperation(operationSnapshot(kept, []))).to.deep.equal({ actions: [] });
  });
});
