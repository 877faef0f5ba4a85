import { expect } from 'chai';
import fc from 'fast-check';
import type { Amount } from '#crds/amount.ts';
import type { Domain } from '#node-daemon/hypervisor/driver.ts';
import { domainOf, domainOff } from '#test/builders/domain.ts';
import { GIBIBYTE } from '#test/builders/hypervisor.ts';
import { placedMachine } from '#test/builders/virtual-machine.ts';
import { Admission } from './admission.ts';

const SMALL = amount(1, 1);

function amount(cpus: number, gibibytes: number): Amount {
  return { cpus, memoryBytes: gibibytes * GIBIBYTE };
}

function guest(uuid: string, { cpus, memoryBytes }: Amount, changes: Partial<Domain> = {}): Domain {
  return { uuid, name: uuid, powerState: 'Running', cpus, memoryBytes, ...changes };
}

/** With 4 CPUs and 4 GiB to give. */
function admission(...guests: Domain[]): Admission {
  const made = new Admission();
  made.setAllocatable(amount(4, 4));
  made.observeAll(guests, made.mark());
  return made;
}

describe('the admission point of a node', () => {
  it('lets what fits in', () => {
    expect(admission().roomFor('a', amount(4, 4))).to.deep.equal({ fits: true });
  });

  it('says which of CPUs and memory is short, and by how much', () => {
    const node = admission(guest('a', amount(3, 2)));
    expect(node.roomFor('b', amount(2, 1))).to.deep.equal({ fits: false, reason: 'CPUs needed: 2, free: 1.' });
    expect(node.roomFor('b', amount(1, 3))).to.deep.equal({
      fits: false,
      reason: 'Memory needed: 3Gi, free: 2Gi.',
    });
  });

  it('says that none is free where more was given than there is by now', () => {
    const node = admission(guest('a', amount(4, 4)));
    node.setAllocatable(amount(2, 2));
    expect(node.roomFor('b', SMALL)).to.deep.equal({ fits: false, reason: 'CPUs needed: 1, free: 0.' });
  });

  it('gives what was reserved to nobody else, however overcommitted it is', () => {
    const reserving = (cpuReservation: string, memoryMinimum: string) =>
      placedMachine({ spec: { resources: { cpus: 4, memory: '4Gi', cpuReservation, memoryMinimum } } });
    const node = admission(domainOf(reserving('1500m', '1Gi')));
    node.setAllocatable({ ...amount(16, 16), guaranteed: { cpuMillis: 2000, memoryBytes: 2 * GIBIBYTE } });
    const asking = (cpuMillis: number, gibibytes: number): Amount => ({
      ...SMALL,
      guaranteed: { cpuMillis, memoryBytes: gibibytes * GIBIBYTE },
    });
    expect(node.roomFor('b', asking(500, 1))).to.deep.equal({ fits: true });
    expect(node.roomFor('b', amount(8, 8))).to.deep.equal({ fits: true });
    expect(node.roomFor('b', asking(600, 1))).to.deep.equal({
      fits: false,
      reason: 'CPUs to be reserved: 600m, not reserved yet: 500m.',
    });
    expect(node.roomFor('b', asking(0, 2))).to.deep.equal({
      fits: false,
      reason: 'Memory to be guaranteed: 2Gi, not guaranteed yet: 1Gi.',
    });
  });

  it('keeps what is reserved for a guest that is to come, too, until that is there and bears it itself', () => {
    const moving = placedMachine({ spec: { resources: { cpus: 1, memory: '1Gi', cpuReservation: '1500m' } } });
    const guaranteed = { cpuMillis: 1500, memoryBytes: 0 };
    const node = admission();
    node.setAllocatable({ ...amount(16, 16), guaranteed: { cpuMillis: 2000, memoryBytes: 0 } });
    expect(node.keep(moving.metadata.uid, { ...SMALL, guaranteed })).to.equal(true);
    expect(node.roomFor('b', { ...SMALL, guaranteed }).fits).to.equal(false);
    expect(node.keep('b', { ...SMALL, guaranteed })).to.equal(false);
    node.observe(moving.metadata.uid, domainOf(moving, { powerState: 'Incoming' }));
    node.promised(moving.metadata.uid, undefined);
    expect(node.roomFor('b', { ...SMALL, guaranteed }).fits).to.equal(false);
  });

  it('cannot tell before it knows the machine and all its guests', () => {
    const node = new Admission();
    expect(node.roomFor('a', SMALL).fits).to.equal(undefined);
    node.setAllocatable(amount(4, 4));
    expect(node.roomFor('a', SMALL).fits).to.equal(undefined);
    expect(node.accept('a', SMALL)).to.equal(false);
    node.observeAll([], node.mark());
    expect(node.roomFor('a', SMALL).fits).to.equal(true);
  });

  it('counts foreign guests like any other', () => {
    const foreign = domainOf(placedMachine({ spec: { resources: { cpus: 4, memory: '1Gi' } } }), { metadata: null });
    expect(admission(foreign).roomFor('a', SMALL).fits).to.equal(false);
  });

  it('counts every guest that has a process, and none that is off', () => {
    for (const powerState of ['Running', 'Paused', 'ShuttingDown', 'Unknown'] as const) {
      expect(admission(guest('a', amount(4, 4), { powerState })).roomFor('b', SMALL).fits, powerState).to.equal(false);
    }
    for (const powerState of ['ShutOff', 'Crashed'] as const) {
      expect(admission(guest('a', amount(4, 4), { powerState })).roomFor('b', SMALL).fits, powerState).to.equal(true);
    }
  });

  it('does not count a guest against itself', () => {
    expect(admission(guest('a', amount(3, 3))).roomFor('a', amount(4, 4)).fits).to.equal(true);
  });

  it('gives the last room to one of two that were both told that there was some', () => {
    const node = admission();
    expect([node.roomFor('a', amount(3, 3)).fits, node.roomFor('b', amount(3, 3)).fits]).to.deep.equal([true, true]);
    expect([node.accept('a', amount(3, 3)), node.accept('b', amount(3, 3))]).to.deep.equal([true, false]);
  });

  it('keeps the room of a guest that is being started, though it is not seen to run yet', () => {
    const node = admission();
    node.accept('a', amount(4, 4));
    node.observe('a', guest('a', amount(4, 4), { powerState: 'ShutOff' }));
    node.observeAll([], node.mark());
    expect(node.roomFor('b', SMALL).fits).to.equal(false);
  });

  it('goes by what is seen once the start is done', () => {
    const node = admission();
    node.accept('a', amount(4, 4));
    node.started('a');
    expect(node.roomFor('b', SMALL).fits).to.equal(false);
    node.observe('a', guest('a', amount(2, 2)));
    expect(node.roomFor('b', SMALL).fits).to.equal(true);
  });

  it('gives the room back when the start failed', () => {
    const node = admission();
    node.accept('a', amount(4, 4));
    node.release('a');
    expect(node.roomFor('b', SMALL).fits).to.equal(true);
  });

  it('is not told by an old list that a guest is gone which was started meanwhile', () => {
    const node = admission();
    const mark = node.mark();
    node.accept('a', amount(4, 4));
    node.started('a');
    node.observeAll([], mark);
    expect(node.roomFor('b', SMALL).fits).to.equal(false);
    node.observeAll([], node.mark());
    expect(node.roomFor('b', SMALL).fits).to.equal(true);
  });

  it('is not told that a guest is gone by a list that was made while it was being started and came after', () => {
    const node = admission();
    node.accept('a', amount(4, 4));
    const mark = node.mark();
    node.started('a');
    node.observeAll([guest('a', amount(4, 4), { powerState: 'ShutOff' })], mark);
    expect(node.roomFor('b', SMALL).fits).to.equal(false);
  });

  it('is not told by an old list that a guest runs which was seen off meanwhile', () => {
    const vm = placedMachine({ spec: { resources: { cpus: 4, memory: '4Gi' } } });
    const node = admission(domainOf(vm));
    const mark = node.mark();
    node.observe(vm.metadata.uid, domainOff(vm, 'Shutdown'));
    node.observeAll([domainOf(vm)], mark);
    expect(node.roomFor('b', SMALL).fits).to.equal(true);
  });
});

describe('whatever happens at the admission point', () => {
  const names = fc.constantFrom('a', 'b', 'c', 'd');
  const amounts = fc.record({
    cpus: fc.integer({ min: 1, max: 4 }),
    memoryBytes: fc.constantFrom(1, 2, 3).map((n) => n * GIBIBYTE),
  });
  const steps = fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant('start' as const), uuid: names, amount: amounts, works: fc.boolean() }),
      fc.record({ kind: fc.constant('end' as const), uuid: names }),
      fc.record({ kind: fc.constant('list' as const) }),
    ),
    { maxLength: 40 },
  );

  it('never accepts more than there is to give, and always what fits', () => {
    fc.assert(
      fc.property(steps, (happening) => {
        const node = admission();
        const running = new Map<string, Amount>();
        const taken = (except?: string) =>
          [...running].filter(([uuid]) => uuid !== except).reduce((sum, [, one]) => plus(sum, one), amount(0, 0));
        for (const step of happening) {
          if (step.kind === 'list')
            node.observeAll(
              [...running].map(([uuid, one]) => guest(uuid, one)),
              node.mark(),
            );
          if (step.kind === 'end') {
            running.delete(step.uuid);
            node.observe(step.uuid, undefined);
          }
          if (step.kind === 'start' && !running.has(step.uuid)) {
            const sum = plus(taken(), step.amount);
            const fits = sum.cpus <= 4 && sum.memoryBytes <= 4 * GIBIBYTE;
            expect(node.accept(step.uuid, step.amount)).to.equal(fits);
            if (fits && step.works) running.set(step.uuid, step.amount);
            if (fits && step.works) node.started(step.uuid);
            if (fits && !step.works) node.release(step.uuid);
          }
        }
      }),
    );
  });

  function plus(one: Amount, other: Amount): Amount {
    return { cpus: one.cpus + other.cpus, memoryBytes: one.memoryBytes + other.memoryBytes };
  }
});
