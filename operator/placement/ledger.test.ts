import { expect } from 'chai';
import fc from 'fast-check';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { InstanceState } from '#crds/v1alpha1/virtual-machine-status.ts';
import { GIBIBYTE } from '#test/builders/hypervisor.ts';
import { newMachine, type PlacedChanges, placedMachine } from '#test/builders/virtual-machine.ts';
import { amountHeld, Ledger } from './ledger.ts';

function at(version: number, changes: PlacedChanges = {}): VirtualMachine {
  return placedMachine({ ...changes, metadata: { resourceVersion: String(version), ...changes.metadata } });
}

function unplaced(version: number): VirtualMachine {
  return newMachine({ metadata: { resourceVersion: String(version) } });
}

const { uid } = newMachine().metadata;
const NOTHING = { cpus: 0, memoryBytes: 0 };
const ONE = { cpus: 1, memoryBytes: GIBIBYTE };

describe('what a VM holds', () => {
  const table: [string, VirtualMachine, object][] = [
    ['is nothing before it has a place', newMachine(), NOTHING],
    ['is what was granted once it has one', placedMachine(), ONE],
    [
      'is what its guest will have, where growth waits for a restart',
      at(1, {
        granted: { resources: { cpus: 4, memory: '4Gi' } },
        instance: { powerState: 'Running', resources: { cpus: 1, memory: '1Gi' } },
      }),
      { cpus: 4, memoryBytes: 4 * GIBIBYTE },
    ],
    [
      'is what its guest still has, where it shall have less after a restart',
      at(1, {
        granted: { resources: { cpus: 1, memory: '8Gi' } },
        instance: { powerState: 'Running', resources: { cpus: 4, memory: '4Gi' } },
      }),
      { cpus: 4, memoryBytes: 8 * GIBIBYTE },
    ],
    [
      'is what was granted, where a report is about an earlier permission',
      at(1, {
        placement: { epoch: 2 },
        instance: { powerState: 'Running', epoch: 1, resources: { cpus: 4, memory: '4Gi' } },
      }),
      ONE,
    ],
    ['is kept while it is missing: it may be created again there', placedMachine({ instance: 'Missing' }), ONE],
    ['is kept between a crash and the restart', placedMachine({ instance: 'Crashed' }), ONE],
    ['is nothing once it stopped', placedMachine({ instance: 'Stopped' }), NOTHING],
    ['is nothing once it was refused', placedMachine({ instance: 'Refused' }), NOTHING],
    ['is nothing once it is absent', placedMachine({ instance: 'Absent' }), NOTHING],
  ];
  for (const [title, vm, amount] of table) {
    it(title, () => expect(amountHeld(vm)).to.deep.equal(amount));
  }
});

describe('the ledger', () => {
  it('knows what is assigned to each hypervisor', () => {
    const ledger = new Ledger();
    ledger.record(at(1));
    ledger.record(at(2, { metadata: { uid: 'other' }, granted: { resources: { cpus: 2, memory: '3Gi' } } }));
    expect(ledger.assignedTo('hv1')).to.deep.equal({ cpus: 3, memoryBytes: 4 * GIBIBYTE });
    expect(ledger.assignedTo('hv2')).to.deep.equal(NOTHING);
    expect(ledger.assignmentOf(uid)).to.deep.include({ hypervisor: 'hv1', amount: ONE });
  });

  it('says when room appeared', () => {
    const ledger = new Ledger();
    const told = [
      ledger.record(unplaced(1)),
      ledger.record(at(2)),
      ledger.record(at(3, { instance: 'Running' })),
      ledger.record(at(4, { instance: 'Stopped' })),
      ledger.record(at(5, { placement: { hypervisor: 'hv2', epoch: 2 } })),
      ledger.record(
        at(6, { placement: { hypervisor: 'hv2', epoch: 2 }, granted: { resources: { cpus: 1, memory: '512Mi' } } }),
      ),
      ledger.forget(uid),
      ledger.forget(uid),
    ];
    expect(told).to.deep.equal([false, false, false, true, false, true, true, false]);
  });

  it('is not led back by an older state that comes later', () => {
    const ledger = new Ledger();
    ledger.record(at(9, { instance: 'Stopped' }));
    ledger.record(at(8, { instance: 'Running' }));
    expect(ledger.assignedTo('hv1')).to.deep.equal(NOTHING);
    ledger.record(at(10, { placement: { epoch: 2 } }));
    expect(ledger.assignedTo('hv1')).to.deep.equal(ONE);
  });

  it('compares versions as numbers', () => {
    const ledger = new Ledger();
    ledger.record(at(9));
    ledger.record(at(10, { instance: 'Stopped' }));
    expect(ledger.assignedTo('hv1')).to.deep.equal(NOTHING);
  });
});

describe('an assumption of the ledger', () => {
  it('counts before it is written', () => {
    const ledger = new Ledger();
    ledger.record(unplaced(1));
    ledger.assume(at(1));
    expect(ledger.assignedTo('hv1')).to.deep.equal(ONE);
  });

  it('is not shaken by the state that it was made on', () => {
    const ledger = new Ledger();
    ledger.assume(at(1));
    ledger.record(unplaced(1));
    expect(ledger.assignedTo('hv1')).to.deep.equal(ONE);
  });

  it('is taken back when nothing was written', () => {
    const ledger = new Ledger();
    ledger.record(at(1, { placement: { hypervisor: 'hv2' } }));
    const undo = ledger.assume(at(1, { placement: { epoch: 2 } }));
    undo();
    expect([ledger.assignedTo('hv1'), ledger.assignedTo('hv2')]).to.deep.equal([NOTHING, ONE]);
  });

  it('is taken back to nothing where there was nothing', () => {
    const ledger = new Ledger();
    ledger.assume(at(1))();
    expect(ledger.assignmentOf(uid)).to.equal(undefined);
    expect(ledger.assignedTo('hv1')).to.deep.equal(NOTHING);
  });

  it('is not taken back once something newer is known', () => {
    const ledger = new Ledger();
    const undo = ledger.assume(at(1));
    ledger.record(at(2));
    undo();
    expect(ledger.assignedTo('hv1')).to.deep.equal(ONE);
  });

  it('ends with the first newer state, whether it was written or not', () => {
    const ledger = new Ledger();
    ledger.assume(at(1));
    ledger.record(unplaced(2));
    expect(ledger.assignedTo('hv1')).to.deep.equal(NOTHING);
  });

  it('is not made on a state that is no longer the newest', () => {
    const ledger = new Ledger();
    ledger.record(unplaced(5));
    const undo = ledger.assume(at(4));
    expect(ledger.assignedTo('hv1')).to.deep.equal(NOTHING);
    undo();
    expect(ledger.assignedTo('hv1')).to.deep.equal(NOTHING);
  });
});

describe('whatever the ledger is told', () => {
  const states = fc.constantFrom<InstanceState | undefined>(undefined, 'Running', 'Stopped', 'Missing', 'Refused');
  const machines = fc
    .record({
      uid: fc.constantFrom('a', 'b', 'c'),
      version: fc.integer({ min: 1, max: 20 }),
      hypervisor: fc.constantFrom('hv1', 'hv2'),
      cpus: fc.integer({ min: 1, max: 4 }),
      instance: states,
    })
    .map(({ uid, version, hypervisor, cpus, instance }) =>
      at(version, {
        metadata: { uid },
        placement: { hypervisor },
        granted: { resources: { cpus, memory: '1Gi' } },
        ...(instance === undefined ? {} : { instance }),
      }),
    );
  const told = fc.array(
    fc.oneof(
      machines.map((vm) => ({ kind: 'record' as const, vm })),
      machines.map((vm) => ({ kind: 'assumeAndUndo' as const, vm })),
      fc.constantFrom('a', 'b', 'c').map((uid) => ({ kind: 'forget' as const, uid })),
    ),
    { maxLength: 60 },
  );

  it('its sums are those of the newest state of each VM', () => {
    fc.assert(
      fc.property(told, (happening) => {
        const ledger = new Ledger();
        const newest = new Map<string, VirtualMachine>();
        for (const step of happening) {
          if (step.kind === 'record') {
            ledger.record(step.vm);
            const known = Number(newest.get(step.vm.metadata.uid)?.metadata.resourceVersion ?? 0);
            if (Number(step.vm.metadata.resourceVersion) >= known) newest.set(step.vm.metadata.uid, step.vm);
          }
          if (step.kind === 'assumeAndUndo') ledger.assume(step.vm)();
          if (step.kind === 'forget') {
            ledger.forget(step.uid);
            newest.delete(step.uid);
          }
          for (const hypervisor of ['hv1', 'hv2'])
            expect(ledger.assignedTo(hypervisor)).to.deep.equal(sum(newest, hypervisor));
        }
      }),
    );
  });

  function sum(machines: ReadonlyMap<string, VirtualMachine>, hypervisor: string) {
    const held = [...machines.values()].filter((vm) => vm.status?.placement?.hypervisor === hypervisor).map(amountHeld);
    return held.reduce(
      (all, one) => ({ cpus: all.cpus + one.cpus, memoryBytes: all.memoryBytes + one.memoryBytes }),
      NOTHING,
    );
  }
});
