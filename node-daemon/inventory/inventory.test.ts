import { expect } from 'chai';
import fc from 'fast-check';
import { limits } from '#crds/v1alpha1/limits.ts';
import type { Domain } from '../hypervisor/driver.ts';
import { takeInventory } from './inventory.ts';

function domain(name: string, uid?: string): Domain {
  const metadata = { namespace: 'a', name, epoch: 1, generation: 1, payload: '', signature: '' };
  const common = { uuid: `uuid-of-${name}`, name, powerState: 'Running', cpus: 1, memoryBytes: 1 } as const;
  return uid === undefined ? common : { ...common, metadata: { ...metadata, uid } };
}

function virtualMachines(known: Record<string, string> = {}, orphans: string[] = []) {
  return { known: new Map(Object.entries(known)), orphans: new Set(orphans) };
}

describe('the inventory', () => {
  it('counts a domain whose VirtualMachine is known as managed', () => {
    const ours = domain('web', 'uid-1');
    const inventory = takeInventory([ours], virtualMachines({ 'uid-1': 'uuid-of-web' }));
    expect(inventory).to.deep.include({ managed: [ours], unconfirmed: [], unmanaged: [], unmanagedCount: 0 });
  });

  it('reports a domain without metadata as Foreign, with its state', () => {
    expect(takeInventory([domain('stranger')], virtualMachines()).unmanaged).to.deep.equal([
      { name: 'stranger', uuid: 'uuid-of-stranger', powerState: 'Running', reason: 'Foreign' },
    ]);
  });

  it('reports a copy of a managed domain, metadata and all, as Foreign', () => {
    const inventory = takeInventory(
      [domain('web', 'uid-1'), domain('web-clone', 'uid-1')],
      virtualMachines({ 'uid-1': 'uuid-of-web' }),
    );
    expect(inventory.managed.map(({ name }) => name)).to.deep.equal(['web']);
    expect(inventory.unmanaged.map(({ name, reason }) => [name, reason])).to.deep.equal([['web-clone', 'Foreign']]);
  });

  it('says nothing of a domain of ours whose VirtualMachine is merely not known: it must be asked for', () => {
    const ours = domain('web', 'uid-1');
    const inventory = takeInventory([ours], virtualMachines());
    expect(inventory).to.deep.include({ managed: [], unconfirmed: [ours], unmanaged: [], unmanagedCount: 0 });
  });

  it('reports a domain of ours as Orphaned once its VirtualMachine is confirmed to be gone', () => {
    const { unmanaged } = takeInventory([domain('web', 'uid-1')], virtualMachines({}, ['uuid-of-web']));
    expect(unmanaged.map(({ name, reason }) => [name, reason])).to.deep.equal([['web', 'Orphaned']]);
  });

  it('reports one as Orphaned whose VirtualMachine is known, but older than the domain', () => {
    const known = virtualMachines({ 'uid-1': 'uuid-of-web' }, ['uuid-of-web']);
    const { managed, unmanaged } = takeInventory([domain('web', 'uid-1')], known);
    expect([managed, unmanaged.map(({ reason }) => reason)]).to.deep.equal([[], ['Orphaned']]);
  });

  it('counts a domain as managed whose VirtualMachine was written anew, under another uid', () => {
    const { managed } = takeInventory([domain('web', 'uid-1')], virtualMachines({ 'uid-2': 'uuid-of-web' }));
    expect(managed).to.have.length(1);
  });

  it('puts orphans first, then sorts by name', () => {
    const domains = [domain('b'), domain('z', 'gone'), domain('a'), domain('y', 'gone')];
    const { unmanaged } = takeInventory(domains, virtualMachines({}, ['uuid-of-z', 'uuid-of-y']));
    expect(unmanaged.map(({ name }) => name)).to.deep.equal(['y', 'z', 'a', 'b']);
  });

  it('adds up what running guests hold that nobody declared', () => {
    const off = { ...domain('off'), powerState: 'ShutOff' as const };
    const domains = [
      domain('stranger'),
      domain('orphan', 'gone'),
      domain('web', 'uid-1'),
      domain('asked', 'uid-2'),
      off,
    ];
    const { unmanagedHeld } = takeInventory(domains, virtualMachines({ 'uid-1': 'uuid-of-web' }, ['uuid-of-orphan']));
    expect(unmanagedHeld).to.deep.equal({ cpus: 2, memoryBytes: 2 });
  });

  it('reports as many as the API takes, and says how many there are', () => {
    const domains = Array.from({ length: 100 }, (_, n) => domain(`foreign-${n}`));
    const { unmanaged, unmanagedCount } = takeInventory(domains, virtualMachines());
    expect([unmanaged.length, unmanagedCount]).to.deep.equal([limits.unmanaged, 100]);
  });

  it('shortens names to what the API takes, without cutting a character in two', () => {
    const { unmanaged } = takeInventory([domain('\u{1F40D}'.repeat(300))], virtualMachines());
    expect(unmanaged[0]?.name).to.equal('\u{1F40D}'.repeat(253));
  });

  it('is the same in whatever order the hypervisor lists its domains, and counts each once', () => {
    const uid = fc.option(fc.constantFrom('known', 'gone', 'unheard-of'), { nil: undefined });
    const domains = fc
      .uniqueArray(fc.record({ name: fc.string(), uid }), { selector: ({ name }) => name, maxLength: 100 })
      .map((all) => all.map(({ name, uid }) => domain(name, uid)));
    fc.assert(
      fc.property(domains, (all) => {
        const forwards = takeInventory(all, virtualMachines({ known: 'uuid-of-a' }, ['uuid-of-b']));
        const backwards = takeInventory(all.toReversed(), virtualMachines({ known: 'uuid-of-a' }, ['uuid-of-b']));
        expect(backwards.unmanaged).to.deep.equal(forwards.unmanaged);
        const { managed, unconfirmed, unmanagedCount } = forwards;
        expect(managed.length + unconfirmed.length + unmanagedCount).to.equal(all.length);
      }),
    );
  });
});
