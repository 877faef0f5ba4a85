import { expect } from 'chai';
import type { CurrentOperation, GrantedOperation, InstanceState } from '#crds/v1alpha1/virtual-machine-status.ts';
import { TIME, timeAfter } from '#test/builders/time.ts';
import { uuidFor } from '#test/builders/uuid.ts';
import { runningMachine } from '#test/builders/virtual-machine.ts';
import { currentOperationAfter, dueOnce, isBeingCycled, isForced, isRebooting } from './current-operation.ts';
import { nothingRemembered, type OperationMemory } from './memory.ts';

const uid = uuidFor('op');
type Once = CurrentOperation['type'];

function asked(
  type: GrantedOperation['type'],
  given: Partial<GrantedOperation> = {},
  told?: Partial<CurrentOperation>,
) {
  const operation = { uid, name: 'op', type, epoch: 1, ...given };
  const common = { uid, name: 'op', type: type as Once, epoch: 1, startTime: TIME, message: 'Told.' };
  const currentOperation =
    told === undefined ? {} : { currentOperation: { ...common, state: 'Executing' as const, ...told } };
  return runningMachine({ granted: { operation }, status: currentOperation });
}

interface Case {
  readonly type?: Once;
  readonly told?: Partial<CurrentOperation>;
  readonly memory?: OperationMemory;
  readonly seen?: InstanceState;
  readonly leaseValid?: boolean;
  readonly epoch?: number;
}

/** State of what is told, and whether it is news. */
function after({ type = 'Reboot', told, memory, seen = 'Running', leaseValid = true, epoch = 1 }: Case): string {
  const vm = asked(type, { epoch }, told);
  const remembered = { ...nothingRemembered, ...(memory === undefined ? {} : { operation: memory }) };
  const snapshot = {
    memory: remembered,
    leaseValid,
    self: { name: 'hv1', uid: uuidFor('hv1'), bootID: uuidFor('boot') },
  };
  const next = currentOperationAfter(seen, { vm, snapshot, time: timeAfter(9) });
  return next === vm.status?.currentOperation ? 'no news' : (next?.state ?? 'nothing');
}

const EXECUTING = { state: 'Executing' } as const;
const DONE = { uid, outcome: { state: 'Done', why: 'Done.' } } as const;
const FAILED = { uid, outcome: { state: 'Failed', why: 'Refused.' } } as const;

describe('what is told of an operation that is done once', () => {
  it('is Executing before it is done, where the guest runs and nobody else may act', () => {
    expect(after({})).to.equal('Executing');
    expect(after({ leaseValid: false })).to.equal('no news');
    expect(after({ seen: 'Starting' })).to.equal('no news');
    for (const seen of ['Paused', 'Stopping', 'Crashed', 'Missing', 'Stopped'] as const)
      expect(after({ seen }), seen).to.equal('Failed');
  });

  it('is nothing where it was meant for another permission, or is over', () => {
    expect(after({ epoch: 2 })).to.equal('no news');
    for (const state of ['Done', 'Failed', 'Unknown'] as const)
      expect(after({ told: { state } }), state).to.equal('no news');
  });

  it('is Unknown where it was told as Executing by somebody who does not remember', () => {
    expect(after({ told: EXECUTING })).to.equal('Unknown');
    expect(after({ told: EXECUTING, memory: { uid: uuidFor('another') } })).to.equal('Unknown');
    expect(after({ told: EXECUTING, seen: 'Stopped' })).to.equal('Unknown');
  });

  it('is what came of it', () => {
    expect(after({ told: EXECUTING, memory: { uid } })).to.equal('Executing');
    expect(after({ told: EXECUTING, memory: DONE })).to.equal('Done');
    expect(after({ told: EXECUTING, memory: DONE, seen: 'Crashed' })).to.equal('Done');
    expect(after({ told: EXECUTING, memory: FAILED })).to.equal('Failed');
  });

  it('is over, for a cycle, when the guest runs again or is not meant to', () => {
    expect(after({ type: 'Cycle', told: EXECUTING, memory: DONE, seen: 'Starting' })).to.equal('Executing');
    expect(after({ type: 'Cycle', told: EXECUTING, seen: 'Starting' })).to.equal('Executing');
    expect(after({ type: 'Cycle', told: EXECUTING, memory: DONE })).to.equal('Done');
    expect(after({ type: 'Cycle', told: EXECUTING, memory: DONE, seen: 'Stopped' })).to.equal('Failed');
    expect(after({ type: 'Cycle', told: EXECUTING })).to.equal('Unknown');
  });

  it('may be done only where this very process has told so, and has not done it', () => {
    const due = (told: Partial<CurrentOperation> | undefined, memory?: OperationMemory) =>
      dueOnce(asked('Reboot', {}, told), memory)?.uid;
    expect(due(undefined, { uid })).to.equal(undefined);
    expect(due(EXECUTING)).to.equal(undefined);
    expect(due(EXECUTING, DONE)).to.equal(undefined);
    expect(due({ state: 'Unknown' }, { uid })).to.equal(undefined);
    expect(due(EXECUTING, { uid })).to.equal(uid);
  });
});

describe('what follows from an operation for the guest', () => {
  const off = (shutOffReason: 'Destroyed' | 'Crashed' | 'Unknown') =>
    ({ uuid: uid, name: 'team.web', powerState: 'ShutOff', shutOffReason, cpus: 1, memoryBytes: 1 }) as const;

  it('is a stop by force, under its permission alone', () => {
    expect(isForced(asked('PowerOff'))).to.equal(true);
    expect(isForced(asked('Destroy'))).to.equal(true);
    expect(isForced(asked('PowerOff', { epoch: 2 }))).to.equal(false);
    expect(isForced(asked('Reboot'))).to.equal(false);
  });

  it('is another start while it is cycled, unless it crashed', () => {
    expect(isBeingCycled(asked('Cycle', {}, EXECUTING), off('Destroyed'))).to.equal(true);
    expect(isBeingCycled(asked('Cycle', {}, EXECUTING), off('Unknown'))).to.equal(true);
    expect(isBeingCycled(asked('Cycle', {}, EXECUTING), off('Crashed'))).to.equal(false);
    expect(isBeingCycled(asked('Cycle', {}, { state: 'Done' }), off('Destroyed'))).to.equal(false);
    expect(isBeingCycled(asked('Cycle', {}, { epoch: 7 }), off('Destroyed'))).to.equal(false);
  });

  it('is patience while it may be at its reboot', () => {
    const at = (seconds: number) => Date.parse(timeAfter(seconds));
    expect(isRebooting(asked('Reboot', {}, EXECUTING), at(59))).to.equal(true);
    expect(isRebooting(asked('Reboot', {}, { state: 'Done' }), at(59))).to.equal(true);
    expect(isRebooting(asked('Reboot', {}, EXECUTING), at(61))).to.equal(false);
    expect(isRebooting(asked('Reboot', {}, { state: 'Failed' }), at(1))).to.equal(false);
    expect(isRebooting(asked('Cycle', {}, EXECUTING), at(1))).to.equal(false);
  });
});
