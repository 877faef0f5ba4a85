import { expect } from 'chai';
import { findCondition } from '#crds/conditions.ts';
import type { Resources } from '#crds/v1alpha1/virtual-machine-spec.ts';
import type { Candidate } from '#operator/placement/candidate.ts';
import { candidate, GIBIBYTE } from '#test/builders/hypervisor.ts';
import { actionsText, operatorSnapshot } from '#test/builders/operator-snapshot.ts';
import { timeAfter } from '#test/builders/time.ts';
import { newMachine, type PlacedChanges, placedMachine, runningMachine } from '#test/builders/virtual-machine.ts';
import { planVirtualMachine } from './plan.ts';
import { statusAfter } from './status.ts';

const ONE: Resources = { cpus: 1, memory: '1Gi' };
const FOUR: Resources = { cpus: 4, memory: '4Gi' };
/** With room for two CPUs and two GiB beside it, itself not counted. */
const NARROW = candidate({ assigned: { cpus: 6, memoryBytes: 14 * GIBIBYTE } });

/** It runs with one CPU and 1Gi, and the spec was changed. */
function changedTo(resources: Resources, changes: PlacedChanges = {}) {
  return runningMachine({
    metadata: { generation: 2 },
    spec: { resources },
    granted: { generation: 1, resources: ONE },
    instance: { powerState: 'Running', resources: ONE },
    ...changes,
  });
}

function plan(vm: ReturnType<typeof changedTo>, candidates: readonly Candidate[] = [NARROW]) {
  return planVirtualMachine(operatorSnapshot(vm, candidates));
}

/** What was granted, and what was told of it. */
function decided(vm: ReturnType<typeof changedTo>, candidates: readonly Candidate[] = [NARROW]) {
  return statusAfter(plan(vm, candidates).actions, { vm, sign: () => 'c2lnbmVk', time: timeAfter(10) });
}

describe('a grant to a guest that a hypervisor holds', () => {
  const grown = changedTo(FOUR);

  it('lets it grow where there is room', () => {
    for (const resources of [{ cpus: 2, memory: '2Gi' }, { cpus: 2, memory: '1Gi' }, ONE]) {
      const status = decided(changedTo(resources));
      expect(status.granted).to.deep.include({ generation: 2, resources });
      expect(findCondition(status.conditions, 'ResizePending')).to.equal(undefined);
    }
  });

  it('keeps what it has where there is none, for the new generation', () => {
    expect(actionsText(plan(grown).actions)).to.equal('Grant Running, but less, CannotGrow NoRoomToGrow, Reachable');
    const status = decided(grown);
    expect(status.granted).to.deep.include({ generation: 2, resources: ONE });
    expect(status.decisions?.at(-1)).to.include({ verdict: 'Modify' });
    expect(findCondition(status.conditions, 'Authorized')).to.include({ status: 'True', reason: 'AllowedInPart' });
  });

  it('says why, and what to do', () => {
    const status = decided(grown);
    const words =
      'hv1 can give it at most 2 CPUs and 2Gi of memory, and spec.resources asks for 4 CPUs and 4Gi of memory. It keeps ' +
      '1 CPU and 1Gi of memory until there is room on hv1. To have it placed anew now, set spec.powerState to Stopped ' +
      'and, once it is Stopped, back to Running.';
    expect(findCondition(status.conditions, 'ResizePending')).to.include({ status: 'True', message: words });
    expect(findCondition(status.conditions, 'Ready')).to.include({ reason: 'NoRoomToGrow', status: 'False' });
    expect(status.phase).to.equal('Running');
  });

  it('asks for room only where it grows', () => {
    const shrunk = candidate({ assigned: { cpus: 6, memoryBytes: 16 * GIBIBYTE } });
    expect(decided(changedTo({ cpus: 2, memory: '1Gi' }), [shrunk]).granted?.resources.cpus).to.equal(2);
    expect(decided(changedTo({ cpus: 1, memory: '1025Mi' }), [shrunk]).granted?.resources).to.deep.equal(ONE);
  });

  it('counts what still runs as its own', () => {
    const running = { powerState: 'Running', resources: FOUR } as const;
    const full = candidate({ assigned: { cpus: 8, memoryBytes: 16 * GIBIBYTE } });
    expect(
      decided(changedTo({ cpus: 3, memory: '3Gi' }, { instance: running }), [full]).granted?.resources.cpus,
    ).to.equal(3);
  });

  it('reserves more only where there is more to reserve, and holds back the rest of the change with it', () => {
    const allocatable = {
      cpus: 32,
      memoryBytes: 64 * GIBIBYTE,
      guaranteed: { cpuMillis: 8000, memoryBytes: 16 * GIBIBYTE },
    };
    const assigned = { cpus: 8, memoryBytes: 0, guaranteed: { cpuMillis: 7000, memoryBytes: 0 } };
    const tight = candidate({ allocatable, assigned });
    const reserving = (cpuReservation: string): Resources => ({ ...ONE, cpuReservation, cpuLimit: '1' });
    expect(decided(changedTo(reserving('1')), [tight]).granted?.resources).to.deep.equal(reserving('1'));
    const more = { ...FOUR, cpuReservation: '1.5' };
    const status = decided(changedTo(more), [tight]);
    expect(status.granted?.resources).to.deep.equal(ONE);
    expect(findCondition(status.conditions, 'ResizePending')?.message).to.include(
      '(guaranteed: 1 CPU), and spec.resources asks',
    );
  });

  it('grants another limit as it grants another size, and not twice', () => {
    const limited = changedTo({ ...ONE, cpuLimit: '500m' });
    const status = decided(limited);
    expect(status.granted?.resources).to.deep.equal({ ...ONE, cpuLimit: '500m' });
    const rewritten = { ...limited, spec: { ...limited.spec, resources: { ...ONE, cpuLimit: '0.5' } }, status };
    expect(actionsText(plan(rewritten).actions)).to.equal('nothing');
  });

  it('promises nothing where its hypervisor is gone', () => {
    expect(findCondition(decided(grown, []).conditions, 'ResizePending')?.message).to.match(/at most 0 CPUs and 0Mi/);
  });

  it('is made before it was started, too', () => {
    const { instance: _none, ...status } = grown.status ?? {};
    expect(decided({ ...grown, status }).granted?.resources).to.deep.equal(ONE);
  });
});

describe('growth that waits for room', () => {
  const vm = changedTo(FOUR);
  const granted = decided(vm);
  const instance = {
    epoch: 1,
    generation: 2,
    powerState: 'Running',
    resources: ONE,
    uuid: '',
    bootID: '',
    since: '',
  } as const;
  const waiting = {
    ...vm,
    status: { ...granted, instance: { ...instance, decisionID: granted.granted?.decisionID ?? '' } },
  };

  it('is looked at again, and told once', () => {
    expect(plan(waiting)).to.deep.equal({ actions: [], again: 30_000, waitsForRoom: true });
  });

  it('is granted once there is room, as a decision of its own', () => {
    expect(actionsText(plan(waiting, [candidate()]).actions)).to.equal('Grant Running');
    const status = decided(waiting, [candidate()]);
    expect(status.granted).to.deep.include({ generation: 2, resources: FOUR });
    expect(status.granted?.decisionID).not.to.equal(waiting.status.granted?.decisionID);
    expect(findCondition(status.conditions, 'ResizePending')).to.equal(undefined);
    expect(findCondition(status.conditions, 'Ready')).to.include({ status: 'False', reason: 'Applying' });
  });

  it('is granted once the guest was stopped: it is placed anew then', () => {
    const off = { ...waiting.status, instance: { ...instance, powerState: 'Stopped' } as const };
    expect(decided({ ...waiting, status: off }).granted?.resources).to.deep.equal(FOUR);
  });

  it('is taken back with the spec', () => {
    const back = { ...waiting, metadata: { ...vm.metadata, generation: 3 }, spec: { ...vm.spec, resources: ONE } };
    const status = decided(back);
    expect(status.granted).to.deep.include({ generation: 3, resources: ONE });
    expect(findCondition(status.conditions, 'ResizePending')).to.equal(undefined);
  });
});

describe('a grant to a guest that no hypervisor holds', () => {
  it('is what was asked, whatever room there is', () => {
    const stopped = placedMachine({
      metadata: { generation: 2 },
      spec: { resources: FOUR },
      granted: { generation: 1, resources: ONE },
      instance: 'Stopped',
    });
    for (const vm of [newMachine({ spec: { resources: FOUR } }), stopped])
      expect(decided(vm).granted?.resources).to.deep.equal(FOUR);
  });
});
