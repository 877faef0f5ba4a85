import { expect } from 'chai';
import fc from 'fast-check';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { InstanceState } from '#crds/v1alpha1/virtual-machine-status.ts';
import { candidate, demand } from '#test/builders/hypervisor.ts';
import { placedMachine } from '#test/builders/virtual-machine.ts';
import { type Disk, otherUser } from './disk-uses.ts';
import { faultsOf } from './filters.ts';
import { Ledger } from './ledger.ts';

const ROOT: Disk = { name: 'root', pool: 'default', volume: 'web.qcow2', format: 'qcow2' };

interface Placed {
  readonly name?: string;
  readonly version?: number;
  readonly disks?: Disk[];
  readonly hypervisor?: string;
  readonly instance?: InstanceState;
}

function placed({ name = 'one', version = 1, disks = [ROOT], hypervisor = 'hv1', instance }: Placed): VirtualMachine {
  return placedMachine({
    metadata: { name, uid: name, resourceVersion: String(version) },
    spec: { disks },
    placement: { hypervisor },
    ...(instance === undefined ? {} : { instance }),
  });
}

/** Who keeps a VM called `two` from this disk on hv1. */
function userOn(ledger: Ledger, disk: Disk = ROOT, hypervisor = 'hv1'): string | undefined {
  return otherUser(ledger.disksInUseOn(hypervisor), disk, 'two')?.name;
}

describe('the disks in use', () => {
  let ledger: Ledger;
  beforeEach(() => {
    ledger = new Ledger();
  });

  const table: [string, Placed, Disk, string | undefined][] = [
    ['are those of a VM that has a place', {}, ROOT, 'team/one'],
    ['are those of a VM that runs', { instance: 'Running' }, ROOT, 'team/one'],
    ['are those of a VM whose guest is missing: it may be created again', { instance: 'Missing' }, ROOT, 'team/one'],
    ['are not those of a VM that has stopped', { instance: 'Stopped' }, ROOT, undefined],
    ['are not those of another hypervisor', { hypervisor: 'hv2' }, ROOT, undefined],
    ['are no other volumes', {}, { ...ROOT, volume: 'other.qcow2' }, undefined],
    ['are no volumes of other pools', {}, { ...ROOT, pool: 'other' }, undefined],
    [
      'are in nobody’s way where all only read',
      { disks: [{ ...ROOT, readOnly: true }] },
      { ...ROOT, readOnly: true },
      undefined,
    ],
    ['are in the way of one that writes', { disks: [{ ...ROOT, readOnly: true }] }, ROOT, 'team/one'],
    ['are in the way of one that reads, where one writes', {}, { ...ROOT, readOnly: true }, 'team/one'],
    ['are not in the way of the VM itself', { name: 'two' }, ROOT, undefined],
  ];
  for (const [title, holder, disk, user] of table) {
    it(title, () => {
      ledger.record(placed(holder));
      expect(userOn(ledger, disk)).to.equal(user);
    });
  }

  it('follow a VM when it moves, stops or is gone', () => {
    ledger.record(placed({ version: 1 }));
    ledger.record(placed({ version: 2, hypervisor: 'hv2' }));
    expect([userOn(ledger), userOn(ledger, ROOT, 'hv2')]).to.deep.equal([undefined, 'team/one']);
    ledger.record(placed({ version: 3, hypervisor: 'hv2', instance: 'Stopped' }));
    expect(userOn(ledger, ROOT, 'hv2')).to.equal(undefined);
    ledger.record(placed({ version: 4 }));
    ledger.forget('one');
    expect(userOn(ledger)).to.equal(undefined);
  });

  it('are taken before the decision is written, and given back where it was not', () => {
    const undo = ledger.assume(placed({}));
    expect(userOn(ledger)).to.equal('team/one');
    undo();
    expect(userOn(ledger)).to.equal(undefined);
  });

  it('keep a VM from the hypervisor, and the words name disk, volume, pool and the other VM', () => {
    ledger.record(placed({}));
    const there = candidate({ disksInUse: ledger.disksInUseOn('hv1') });
    expect(faultsOf(there, demand({ uid: 'two', disks: [ROOT] }))).to.deep.equal([
      { code: 'DiskInUse', text: 'where disk root (volume web.qcow2 of pool default) is in use by team/one' },
    ]);
    expect(faultsOf(there, demand({ uid: 'one', disks: [ROOT] }))).to.deep.equal([]);
  });

  it('are as the last state of each VM has them, whatever came before', () => {
    const state = fc.record({
      name: fc.constantFrom('one', 'three'),
      disks: fc.subarray([ROOT, { ...ROOT, name: 'data', volume: 'data' }]),
      hypervisor: fc.constantFrom('hv1', 'hv2'),
      instance: fc.constantFrom<InstanceState>('Running', 'Stopped'),
    });
    fc.assert(
      fc.property(fc.array(state), (states) => {
        const [long, short] = [new Ledger(), new Ledger()];
        const versions = states.map((changes, index) => placed({ ...changes, version: index + 1 }));
        const last = new Map(versions.map((vm) => [vm.metadata.uid, vm]));
        for (const vm of versions) long.record(vm);
        for (const vm of last.values()) short.record(vm);
        for (const name of ['hv1', 'hv2'])
          expect(usersBy(long.disksInUseOn(name))).to.deep.equal(usersBy(short.disksInUseOn(name)));
      }),
    );
  });
});

function usersBy(inUse: ReturnType<Ledger['disksInUseOn']>): Record<string, string[]> {
  return Object.fromEntries([...inUse].map(([volume, users]) => [volume, users.map(({ uid }) => uid).toSorted()]));
}
