import { DOMParser, type Document, MIME_TYPE } from '@xmldom/xmldom';
import { expect } from 'chai';
import fc from 'fast-check';
import type { DomainDefinition } from '#node-daemon/hypervisor/driver.ts';
import { DriverError } from '#node-daemon/hypervisor/errors.ts';
import { expectGolden } from '#test/golden.ts';
import { buildDomainXml } from './build.ts';
import { exampleContext, exampleDefinition, goldens } from './example-definitions.ts';
import { parseMetadata } from './parse.ts';

describe('the XML of a domain', () => {
  for (const [name, [definition, context]] of Object.entries(goldens)) {
    it(`is that of testdata/${name}.xml`, () => {
      expectGolden(new URL(`testdata/${name}.xml`, import.meta.url), buildDomainXml(definition, context));
    });
  }

  it('gives back every field, whatever characters it holds', () => {
    fc.assert(
      fc.property(definitions, (definition) => {
        const xml = buildDomainXml(definition, exampleContext);
        expect(parseMetadata(xml)).to.deep.equal(definition.metadata);
        expect(fieldsIn(xml)).to.deep.equal(fieldsOf(definition));
      }),
      { numRuns: 300 },
    );
  });

  const refused: Record<string, Partial<DomainDefinition>> = {
    name: { name: 'a\u0000b' },
    'boot.kernel.commandLine': { boot: { kind: 'Kernel', image: 'k', commandLine: 'quiet\nsplash' } },
    'disks[0].pool': { disks: [{ name: 'a', pool: '\u001b[31m', volume: 'v', format: 'raw', readOnly: false }] },
    'disks[0].volume': { disks: [{ name: 'a', pool: 'p', volume: '\ud800', format: 'raw', readOnly: false }] },
    'interfaces[0].network': { interfaces: [{ name: 'a', network: 'x\uffff', macAddress: '52:54:00:00:00:01' }] },
    'interfaces[0].macAddress': { interfaces: [{ name: 'a', network: 'x', macAddress: '53:54:00:00:00:01' }] },
    'metadata.name': { metadata: { ...exampleDefinition().metadata, name: '\u0007' } },
    'metadata.epoch': { metadata: { ...exampleDefinition().metadata, epoch: 1.5 } },
    'metadata.payload': { metadata: { ...exampleDefinition().metadata, payload: 'half \udc00' } },
    'boot.disk.name': { boot: { kind: 'Disk', disk: 'nowhere' } },
    'boot.network.interface': { boot: { kind: 'Network', interface: 'nowhere' } },
    cpus: { cpus: 0.5 },
    memoryBytes: { memoryBytes: 1024 },
    uuid: { uuid: '3f2504e0' },
  };
  for (const [field, changes] of Object.entries(refused)) {
    it(`is refused as Invalid with a message that begins with ${field}`, () => {
      expect(() => buildDomainXml(exampleDefinition(changes), exampleContext))
        .to.throw(DriverError, new RegExp(`^${field.replaceAll(/[[\].]/g, '\\$&')}: `))
        .with.property('reason', 'Invalid');
    });
  }

  it('is refused for a container that would boot a kernel of its own', () => {
    expect(() => buildDomainXml(exampleDefinition(), { ...exampleContext, type: 'lxc' })).to.throw(
      DriverError,
      /^boot\.kernel: a container runs on the kernel of its host/,
    );
  });

  it('names the twenty-seventh disk as Linux does', () => {
    const disks = Array.from({ length: 28 }, (_, index) => ({
      name: `d${index}`,
      pool: 'p',
      volume: 'v',
      format: 'raw' as const,
      readOnly: false,
    }));
    const xml = buildDomainXml(exampleDefinition({ disks }), exampleContext);
    expect(xml).to.contain('dev="vdz"').and.to.contain('dev="vdaa"').and.to.contain('dev="vdab"');
  });
});

/** Every character of Unicode but those that are refused. */
const printableText = fc
  .string({ unit: 'binary', maxLength: 40 })
  .filter((text) => text.isWellFormed() && !/[\p{Cc}\p{Zl}\p{Zp}\uFFFE\uFFFF]/u.test(text));
const anyText = fc.string({ unit: 'binary', maxLength: 200 });
const name = printableText.filter((text) => text !== '' && !text.includes('/'));
const natural = fc.nat({ max: Number.MAX_SAFE_INTEGER });

const definitions: fc.Arbitrary<DomainDefinition> = fc.record({
  uuid: fc.uuid(),
  name,
  cpus: fc.integer({ min: 1, max: 512 }),
  memoryBytes: fc.integer({ min: 1024 * 1024, max: 2 ** 45 }),
  boot: fc.record({ kind: fc.constant('Kernel' as const), image: fc.constant('vmlinuz'), commandLine: printableText }),
  disks: fc.array(
    fc.record({
      name,
      pool: printableText,
      volume: printableText,
      format: fc.constantFrom('raw' as const, 'qcow2' as const),
      readOnly: fc.boolean(),
    }),
    { maxLength: 3 },
  ),
  interfaces: fc.array(fc.record({ name, network: printableText, macAddress: fc.constant('52:54:00:12:34:56') }), {
    maxLength: 3,
  }),
  metadata: fc.record({
    uid: printableText,
    namespace: printableText,
    name: printableText,
    epoch: natural,
    generation: natural,
    payload: anyText,
    signature: anyText,
  }),
});

function fieldsOf({ uuid, name, cpus, memoryBytes, boot, disks, interfaces }: DomainDefinition): unknown {
  return {
    uuid,
    name,
    cpus: `${cpus}`,
    memory: `${memoryBytes}`,
    commandLine: boot.kind === 'Kernel' ? boot.commandLine : undefined,
    disks: disks.map(({ pool, volume, format, readOnly }) => ({ pool, volume, format, readOnly })),
    interfaces: interfaces.map(({ network, macAddress }) => ({ network, macAddress })),
  };
}

function fieldsIn(xml: string): unknown {
  const normalizeLineEndings = (text: string): string => text;
  const document = new DOMParser({ normalizeLineEndings }).parseFromString(xml, MIME_TYPE.XML_TEXT);
  const text = (tag: string): string | null | undefined => all(document, tag)[0]?.textContent;
  return {
    uuid: text('uuid'),
    name: text('name'),
    cpus: text('vcpu'),
    memory: text('memory'),
    commandLine: text('cmdline'),
    disks: all(document, 'disk').map((disk) => ({
      pool: all(disk, 'source')[0]?.getAttribute('pool'),
      volume: all(disk, 'source')[0]?.getAttribute('volume'),
      format: all(disk, 'driver')[0]?.getAttribute('type'),
      readOnly: all(disk, 'readonly').length === 1,
    })),
    interfaces: all(document, 'interface').map((card) => ({
      network: all(card, 'source')[0]?.getAttribute('network'),
      macAddress: all(card, 'mac')[0]?.getAttribute('address'),
    })),
  };
}

function all(parent: Pick<Document, 'getElementsByTagName'>, tag: string) {
  return Array.from(parent.getElementsByTagName(tag));
}
