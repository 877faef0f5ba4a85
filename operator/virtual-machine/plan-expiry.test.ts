import { expect } from 'chai';
import { findCondition } from '#crds/conditions.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import { candidate } from '#test/builders/hypervisor.ts';
import { actionsText, operatorSnapshot } from '#test/builders/operator-snapshot.ts';
import { timeAfter } from '#test/builders/time.ts';
import { newMachine, type PlacedChanges, runningMachine } from '#test/builders/virtual-machine.ts';
import { planVirtualMachine } from './plan.ts';
import { statusAfter } from './status.ts';

const HOUR_MS = 3_600_000;
const NOW = Date.parse(timeAfter(0));

/** It runs, with its time over so many seconds from now. */
function runningFor(seconds: number, changes: PlacedChanges = {}): VirtualMachine {
  return runningMachine({ ...changes, spec: { expirationTime: timeAfter(seconds), ...changes.spec } });
}

function planAt(vm: VirtualMachine, wallTime = NOW) {
  return planVirtualMachine(operatorSnapshot(vm, [candidate()], { wallTime }));
}

/** The VM after what was planned at this moment. */
function after(vm: VirtualMachine, wallTime = NOW): VirtualMachine {
  const writing = { vm, sign: () => 'c2lnbmVk', time: timeAfter(0) };
  return { ...vm, status: statusAfter(planAt(vm, wallTime).actions, writing) };
}

function conditionOf(vm: VirtualMachine, type: string) {
  return findCondition(vm.status?.conditions, type);
}

describe('the end of the time of a VM', () => {
  it('is not told while it is far, and looked for every hour', () => {
    expect(actionsText(planAt(runningFor(86_400)).actions)).to.equal('Reachable');
    expect(planAt(runningFor(86_400)).again).to.equal(HOUR_MS);
    expect(planAt(runningFor(3_660)).again).to.equal(60_000);
    expect(planAt(runningFor(86_400)).waitsForRoom).to.equal(undefined);
  });

  it('is warned of an hour before, once, and the guest runs on', () => {
    expect(actionsText(planAt(runningFor(3_600)).actions)).to.equal('ExpiresSoon, Reachable');
    const vm = after(runningFor(3_600));
    expect(conditionOf(vm, 'Expired')).to.include({ status: 'False', reason: 'ExpiresSoon' });
    expect(conditionOf(vm, 'Expired')?.message).to.include(timeAfter(3_600));
    expect(conditionOf(vm, 'Ready')).to.include({ status: 'True' });
    expect(planAt(vm, NOW + 60_000).actions).to.deep.equal([]);
    expect(planAt(vm, NOW + 60_000).again).to.equal(HOUR_MS - 60_000);
  });

  it('stops it, with the reason in the grant, in what was decided and in Ready', () => {
    expect(actionsText(planAt(runningFor(0)).actions)).to.equal('Grant Stopped, but less, Expired, Reachable');
    const vm = after(runningFor(0));
    expect(vm.status?.granted).to.include({ powerState: 'Stopped', decisionID: `${vm.metadata.uid}.1.expired` });
    expect(vm.spec.powerState).to.equal('Running');
    expect(vm.status?.decisions?.at(-1)).to.include({ event: 'vm.shutdown.request', verdict: 'Modify' });
    expect(conditionOf(vm, 'Ready')).to.include({ status: 'False', reason: 'Stopping' });
    expect(conditionOf(vm, 'Ready')?.message).to.include('Its time is over');
    expect(planAt(vm, NOW + 60_000)).to.deep.equal({ actions: [] });
  });

  it('leaves it stopped and stalled, and says what to do', () => {
    const { status, ...vm } = after(runningFor(0));
    const stopped = after({
      ...vm,
      status: { ...status, instance: { ...status?.instance, powerState: 'Stopped' } },
    } as VirtualMachine);
    const { status: told } = stopped;
    expect(told?.granted?.powerState).to.equal('Stopped');
    const ready = statusAfter([], { vm: stopped, sign: () => '', time: timeAfter(1) });
    expect(ready.phase).to.equal('Stopped');
    const { message = '' } = findCondition(ready.conditions, 'Ready') ?? {};
    expect(message).to.include('set a later spec.expirationTime or remove it').and.to.include('delete it');
    expect(findCondition(ready.conditions, 'Stalled')).to.include({ status: 'True', reason: 'Expired' });
  });

  it('keeps a VM that comes too late from being placed at all', () => {
    const late = newMachine({ spec: { expirationTime: timeAfter(-1) } });
    expect(actionsText(planAt(late).actions)).to.equal('Grant Stopped, but less, Expired');
  });

  it('changes nothing for a VM that is declared Stopped but to say so', () => {
    const vm = after(runningFor(-1, { spec: { powerState: 'Stopped' }, instance: 'Stopped' }));
    expect(vm.status?.granted?.powerState).to.equal('Stopped');
    expect(conditionOf(vm, 'Ready')).to.include({ status: 'True', reason: 'Stopped' });
    expect(conditionOf(vm, 'Expired')).to.include({ status: 'True' });
  });

  it('is taken back when more time is given, by a decision of its own', () => {
    const over = after(runningFor(0));
    const more = { ...over, metadata: { ...over.metadata, generation: 2 } };
    const { expirationTime: _end, ...spec } = more.spec;
    expect(actionsText(planAt({ ...more, spec }).actions)).to.equal('Grant Running, Expires late');
    const vm = after({ ...more, spec });
    expect(conditionOf(vm, 'Expired')).to.equal(undefined);
    const later = planAt({ ...more, spec: { ...spec, expirationTime: timeAfter(60) } });
    expect(actionsText(later.actions)).to.equal('Grant Running, ExpiresSoon');
  });

  it('is not over any more when a clock that ran ahead is set back', () => {
    const vm = after(after(runningFor(0)), NOW - 86_400_000);
    expect(vm.status?.granted).to.include({ powerState: 'Running', decisionID: `${vm.metadata.uid}.1.renewed` });
  });

  it('is told for the newest generation, so that nobody waits for ever', () => {
    const warned = after(runningFor(3_000));
    const vm = after({ ...warned, metadata: { ...warned.metadata, generation: 2 } });
    expect(conditionOf(vm, 'Expired')).to.include({ observedGeneration: 2 });
  });
});
