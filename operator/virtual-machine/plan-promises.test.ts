// What the operator promises of every plan, over everything it could ever see.
import { expect } from 'chai';
import fc from 'fast-check';
import { amountOf, wantsIn } from '#crds/amount.ts';
import { currentInstance, epochIsOver } from '#crds/derive/epoch.ts';
import { isSurelyHibernated, mayBeThere } from '#crds/derive/hibernated.ts';
import { isUnlimited, limitsOf } from '#crds/resources.ts';
import { FORCE_DELETE_ANNOTATION } from '#crds/v1alpha1/names.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import { type Candidate, free, type Reachability } from '#operator/placement/candidate.ts';
import { amountHeld } from '#operator/placement/ledger.ts';
import { arbitraryHibernated, arbitraryMachine } from '#test/builders/arbitrary-machine.ts';
import { candidate, GIBIBYTE } from '#test/builders/hypervisor.ts';
import { operatorSnapshot } from '#test/builders/operator-snapshot.ts';
import { timeAfter } from '#test/builders/time.ts';
import type { Action } from './actions.ts';
import { planVirtualMachine } from './plan.ts';
import type { Snapshot } from './snapshot.ts';
import { statusAfter } from './status.ts';

const RUNS = { numRuns: 2000 };

const reachable = fc.constantFrom<Reachability>(
  { yes: true },
  { yes: true },
  { yes: true },
  { yes: false, code: 'Silent', why: 'It is silent.', brief: false },
  { yes: false, code: 'DriverDisconnected', why: 'It is cut off.', brief: false },
  { yes: false, code: 'DriverDisconnected', why: 'It was cut off now.', brief: true },
);
const mostly = fc.constantFrom(true, true, true, true, false);

function arbitraryCandidate(name: string): fc.Arbitrary<Candidate> {
  return fc
    .record({
      accepted: mostly,
      open: mostly,
      guaranteesCpu: mostly,
      reachable,
      cpus: fc.integer({ min: 0, max: 8 }),
      gibibytes: fc.integer({ min: 0, max: 16 }),
    })
    .map(({ open, cpus, gibibytes, ...changes }) =>
      candidate({
        name,
        ...changes,
        unschedulable: !open,
        allocatable: ALL,
        // As much of it guaranteed as can be: without overcommit that is no more than is assigned.
        assigned: {
          cpus,
          memoryBytes: gibibytes * GIBIBYTE,
          guaranteed: { cpuMillis: cpus * 1000, memoryBytes: gibibytes * GIBIBYTE },
        },
      }),
    );
}

const ALL = {
  cpus: 8,
  memoryBytes: 16 * GIBIBYTE,
  guaranteed: { cpuMillis: 8000, memoryBytes: 16 * GIBIBYTE },
};

const snapshots: fc.Arbitrary<Snapshot> = fc
  .record({
    vm: fc.oneof({ weight: 5, arbitrary: arbitraryMachine }, { weight: 1, arbitrary: arbitraryHibernated }),
    candidates: fc
      .tuple(arbitraryCandidate('hv1'), arbitraryCandidate('hv2'), arbitraryCandidate('hv3'))
      .chain((all) => fc.subarray(all)),
    refusedBy: fc.subarray(['hv1', 'hv2']),
  })
  .map(({ vm, candidates, refusedBy }) => operatorSnapshot(vm, candidates, { refusedBy }));

function always(holds: (snapshot: Snapshot, actions: readonly Action[]) => void): void {
  fc.assert(
    fc.property(snapshots, (snapshot) => holds(snapshot, planVirtualMachine(snapshot).actions)),
    RUNS,
  );
}

function placeIn(actions: readonly Action[]): Extract<Action, { kind: 'Place' }> | undefined {
  return actions.find((action) => action.kind === 'Place');
}

function after(vm: VirtualMachine, actions: readonly Action[]): VirtualMachine {
  return { ...vm, status: statusAfter(actions, { vm, sign: () => 'signed', time: timeAfter(60) }) };
}

describe('whatever the operator sees of a VM', () => {
  it('it gives a new permission only where none is out, numbered one higher, and only for a guest that is to be there', () => {
    let times = 0;
    always(({ vm }, actions) => {
      const place = placeIn(actions);
      if (place === undefined) return;
      times += 1;
      expect(epochIsOver(vm.status)).to.equal(true);
      expect(place.epoch).to.equal((vm.status?.placement?.epoch ?? 0) + 1);
      expect(vm.metadata.deletionTimestamp).to.equal(undefined);
      const { granted } = after(vm, actions).status ?? {};
      expect(granted?.generation).to.equal(vm.metadata.generation);
      expect(granted?.powerState).to.be.oneOf(['Running', 'Paused']);
    });
    expect(times).to.be.greaterThan(20);
  });

  it('it places only where the VM is welcome and fits', () => {
    always(({ vm, candidates, refusedBy }, actions) => {
      const place = placeIn(actions);
      if (place === undefined) return;
      const chosen = candidates.find(({ name }) => name === place.hypervisor);
      expect(chosen).to.deep.include({
        uid: place.hypervisorUID,
        accepted: true,
        unschedulable: false,
        reachable: { yes: true },
      });
      expect(refusedBy).not.to.include(place.hypervisor);
      const placed = after(vm, actions);
      const cpus = (chosen?.assigned.cpus ?? 0) + (placed.status?.granted?.resources.cpus ?? 0);
      expect(cpus).to.be.at.most(chosen?.allocatable.cpus ?? 0);
      const granted = placed.status?.granted?.resources;
      if (chosen === undefined || granted === undefined) return;
      expect(wantsIn(amountOf(granted), free(chosen))).to.deep.equal([]);
      if (!isUnlimited(limitsOf(granted))) expect(chosen.guaranteesCpu).to.equal(true);
    });
  });

  it('it grants growth only where the hypervisor that holds the VM has room for it', () => {
    let times = 0;
    always(({ vm, candidates }, actions) => {
      const { placement, granted } = vm.status ?? {};
      if (vm.metadata.deletionTimestamp !== undefined || granted === undefined) return;
      if (placement === undefined || epochIsOver(vm.status)) return;
      const [held, holds] = [amountHeld(vm), amountHeld(after(vm, actions))];
      const home = candidates.find(({ name }) => name === placement.hypervisor);
      for (const resource of ['cpus', 'memoryBytes'] as const) {
        if (holds[resource] <= held[resource]) continue;
        times += 1;
        const room = (home?.allocatable[resource] ?? 0) - (home?.assigned[resource] ?? 0);
        expect(holds[resource]).to.be.at.most(room);
      }
    });
    expect(times).to.be.greaterThan(20);
  });

  it('it lets a VM go only where no node can still run its guest, or where somebody accepted that one may', () => {
    let [times, byForce] = [0, 0];
    always(({ vm, home }, actions) => {
      if (!actions.some(({ kind }) => kind === 'Finalize')) return;
      times += 1;
      expect(actions).to.have.length(1);
      expect(vm.metadata.deletionTimestamp).not.to.equal(undefined);
      const { placement } = vm.status ?? {};
      const absent = currentInstance(vm.status)?.powerState === 'Absent';
      const nobodyToAsk = home.kind !== 'Known' || !(home.reachable.yes || home.reachable.brief);
      const isOff = epochIsOver(vm.status) || isSurelyHibernated(vm.status);
      const safe = placement === undefined || absent || (nobodyToAsk && isOff);
      const [{ risk } = {}] = actions.filter((action) => action.kind === 'Finalize');
      if (!safe) byForce += 1;
      expect(risk !== undefined).to.equal(!safe);
      expect(safe || vm.metadata.annotations?.[FORCE_DELETE_ANNOTATION] === placement.hypervisor).to.equal(true);
    });
    expect(times).to.be.greaterThan(20);
    expect(byForce).to.be.greaterThan(3);
  });

  it('it gives up a permission only where nobody can be asked, of a guest that cannot be there by its doing', () => {
    let times = 0;
    always(({ vm, home }, actions) => {
      if (!actions.some(({ kind }) => kind === 'Abandon')) return;
      times += 1;
      expect(home.kind !== 'Known' || !home.reachable.yes).to.equal(true);
      expect(currentInstance(vm.status)?.powerState).to.equal('Hibernated');
      const { placement, instance, granted } = vm.status ?? {};
      expect(granted?.powerState).to.be.oneOf(['Hibernated', 'Stopped']);
      expect(placement?.runnableGeneration).to.be.lessThan(instance?.generation ?? 0);
      const { status } = after(vm, actions);
      expect([status?.granted?.powerState, epochIsOver(status)]).to.deep.equal(['Stopped', true]);
    });
    expect(times).to.be.greaterThan(5);
  });

  it('it lets a hibernated guest go on only where its memory is kept, which it can ask, and which has room for it', () => {
    let times = 0;
    always(({ vm, home, candidates }, actions) => {
      const { placement } = vm.status ?? {};
      const grant = actions.find(({ kind }) => kind === 'Grant');
      if (!isSurelyHibernated(vm.status) || grant?.kind !== 'Grant' || !mayBeThere(grant.granted.powerState)) return;
      if (epochIsOver(vm.status)) return;
      times += 1;
      expect(home).to.deep.include({ kind: 'Known', reachable: { yes: true } });
      const there = candidates.find(({ name }) => name === placement?.hypervisor);
      const holds = amountHeld(after(vm, actions));
      expect(holds.cpus).to.be.at.most((there?.allocatable.cpus ?? 0) - (there?.assigned.cpus ?? 0));
      expect(after(vm, actions).status?.placement?.epoch).to.equal(placement?.epoch);
    });
    expect(times).to.be.greaterThan(5);
  });

  it('it never takes a decision back, nor changes whom it gave a permission that is not over', () => {
    always(({ vm }, actions) => {
      if (epochIsOver(vm.status)) return;
      const { hypervisor, hypervisorUID, epoch } = vm.status?.placement ?? {};
      expect(after(vm, actions).status?.placement).to.include({ hypervisor, hypervisorUID, epoch });
    });
  });

  it('it has nothing more to write once it has written', () => {
    always((snapshot, actions) => {
      if (actions.some(({ kind }) => kind === 'Finalize')) return;
      const vm = after(snapshot.vm, actions);
      const again = planVirtualMachine(operatorSnapshot(vm, snapshot.candidates, { refusedBy: snapshot.refusedBy }));
      expect(again.actions).to.deep.equal([]);
    });
  });

  it('it touches nothing that a daemon reports', () => {
    always(({ vm }, actions) => {
      const { instance, lastTermination, pendingChanges, addresses, usage } = vm.status ?? {};
      const { status } = after(vm, actions);
      expect(status?.instance).to.equal(instance);
      expect(status?.lastTermination).to.equal(lastTermination);
      expect([status?.pendingChanges, status?.addresses, status?.usage]).to.deep.equal([
        pendingChanges,
        addresses,
        usage,
      ]);
    });
  });
});
