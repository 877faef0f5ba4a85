// What is read from domains that somebody else made: all of it, or an obstacle by its place.
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import { amountOf } from '#crds/amount.ts';
import { definitionOf } from '#node-daemon/domains/definition.ts';
import { arbitrarySpec } from '#test/builders/arbitrary-spec.ts';
import { grantedFor, newMachine, placementOn } from '#test/builders/virtual-machine.ts';
import { expectGolden } from '#test/golden.ts';
import { buildDomainXml } from './build.ts';
import { exampleContext } from './example-definitions.ts';
import { inspectXml } from './inspect.ts';

const FOUND = new URL('testdata/found/', import.meta.url);
const DEBIAN = readFileSync(new URL('virt-install-debian.xml', FOUND), 'utf8');

describe('what is read from a domain that somebody else made', () => {
  for (const name of ['virt-install-debian', 'virt-install-windows']) {
    it(`is that of testdata/found/${name}.txt`, () => {
      const read = inspectXml(readFileSync(new URL(`${name}.xml`, FOUND), 'utf8'));
      expectGolden(new URL(`${name}.txt`, FOUND), `${JSON.stringify(read, undefined, 2)}\n`);
    });
  }

  it('is all that Usher builds, whatever a VirtualMachine says', () => {
    fc.assert(
      fc.property(arbitrarySpec, (spec) => {
        const {
          resources: { cpus, memory },
          ...rest
        } = spec;
        const vm = newMachine({ spec: { ...rest, resources: { cpus, memory } } });
        const definition = definitionOf(vm, grantedFor(vm), placementOn('hv1'));
        const read = inspectXml(buildDomainXml(definition, exampleContext));
        expect(read?.obstacles).to.deep.equal([]);
        expect([read?.cpus, read?.memoryBytes]).to.deep.equal([cpus, amountOf(vm.spec.resources).memoryBytes]);
        const volumes = (disks: readonly object[] = []) => disks.map((disk) => ({ ...disk, name: '', path: '' }));
        expect(volumes(read?.disks)).to.deep.equal(volumes(definition.disks));
        const cards = definition.interfaces.map((card, index) => ({ ...card, name: `net${index}` }));
        expect(read?.interfaces).to.deep.equal(
          cards.map((card) => ({ ...card, macAddress: card.macAddress.toLowerCase() })),
        );
        expect(placeOf(read?.boot, read)).to.equal(placeOf(definition.boot, definition));
      }),
      { numRuns: 300 },
    );
  });

  const strangers: Record<string, [place: string, from: string, to: string]> = {
    'a device that nobody knows yet': ['devices.teleporter', '</devices>', '<teleporter/></devices>'],
    'an element of another namespace': ['domain.arg', '<seclabel', '<x:arg xmlns:x="urn:x"/><seclabel'],
    'a limit of its memory': ['domain.memtune', '<seclabel', '<memtune/><seclabel'],
    'an encrypted disk': ['disk[vda].encryption', '<backingStore/>', '<encryption/><backingStore/>'],
    'a filter of its traffic': ['interface[net0].filterref', "<alias name='net0'/>", '<filterref/>'],
    'another kind of virtualization': ['os.type', '>hvm<', '>xen<'],
  };
  for (const [what, [place, from, to]] of Object.entries(strangers)) {
    it(`is not all of it where there is ${what}`, () => {
      const read = inspectXml(DEBIAN.replace(from, to));
      expect(read?.obstacles.map(({ field }) => field)).to.include(place);
    });
  }

  it('is nothing where it is no domain, or one that would take our breath away', () => {
    for (const xml of ['', '<network/>', `<!DOCTYPE a>${DEBIAN}`, '<domain>'.repeat(100)])
      expect(inspectXml(xml), xml.slice(0, 20)).to.equal(undefined);
  });
});

type Boot = NonNullable<ReturnType<typeof inspectXml>>['boot'];
type Devices = Record<'disks' | 'interfaces', readonly { readonly name: string }[]>;

/** Of the device, whatever it is called. */
function placeOf(boot: Boot, { disks, interfaces }: Devices = { disks: [], interfaces: [] }): string {
  if (boot?.kind === 'Disk') return `disk ${disks.findIndex(({ name }) => name === boot.disk)}`;
  if (boot?.kind === 'Network') return `card ${interfaces.findIndex(({ name }) => name === boot.interface)}`;
  return boot?.kind ?? 'none';
}
