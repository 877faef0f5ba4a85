import { expect } from 'chai';
import fc from 'fast-check';
import { buildDomainXml } from './build.ts';
import { render } from './element.ts';
import { exampleContext, exampleDefinition } from './example-definitions.ts';
import { metadataElement } from './metadata.ts';
import { parseMetadata } from './parse.ts';

const { metadata } = exampleDefinition();
const alone = render(metadataElement(metadata));
const whole = buildDomainXml(exampleDefinition(), exampleContext);

describe('reading our metadata back', () => {
  it('works on the whole domain and on the element alone, with any prefix and without', () => {
    expect(parseMetadata(whole)).to.deep.equal(metadata);
    expect(parseMetadata(alone)).to.deep.equal(metadata);
    expect(parseMetadata(render(metadataElement(metadata, 'other')))).to.deep.equal(metadata);
  });

  it('works where a character was lost, in what we wrote or in what somebody else did', () => {
    const damaged = { ...metadata, payload: '{"note":"\uFFFD"}' };
    expect(parseMetadata(render(metadataElement(damaged)))).to.deep.equal(damaged);
    expect(parseMetadata(whole.replace('<name>', '<title>\uFFFD</title><name>'))).to.deep.equal(metadata);
  });

  const foreign: Record<string, string> = {
    nothing: '',
    'no XML': 'hello',
    'a domain without metadata': '<domain type="kvm"><name>a</name></domain>',
    'the metadata of another program': '<domain><metadata><x xmlns="https://example.org/1"/></metadata></domain>',
    'our element in no namespace': '<domain><metadata><domain uid="a"/></metadata></domain>',
    'our element in another place': `<domain><devices>${alone}</devices></domain>`,
    'our element twice': whole.replace(/(<usher:domain[^]*<\/usher:domain>)/, '$1$1'),
    'a field left out': alone.replace(' epoch="3"', ''),
    'an epoch that is no number': alone.replace('epoch="3"', 'epoch="3e1"'),
    'an epoch that is too long a number': alone.replace('epoch="3"', 'epoch="9999999999999999"'),
    'no payload': alone.replaceAll(/<payload.*<\/payload>/g, ''),
    'a payload in an unknown encoding': alone.replace('<payload>', '<payload encoding="rot13">'),
    'a payload that is no Base64': alone.replace('<payload>', '<payload encoding="base64">'),
    'a document type': `<!DOCTYPE domain [<!ENTITY a "b">]>${alone}`,
    'a tag left open': alone.replace('</domain>', ''),
    'elements nested without end': '<a>'.repeat(100_000),
    'a million angle brackets': '<a'.repeat(500_000),
    'more than any domain can be': `<domain>${' '.repeat(4 * 1024 * 1024)}</domain>`,
  };
  for (const [what, xml] of Object.entries(foreign)) {
    it(`takes ${what} for a foreign domain`, () => {
      expect(parseMetadata(xml)).to.equal(undefined);
    });
  }

  it('never throws, whatever a document was turned into', () => {
    const damage = fc.record({ at: fc.nat(whole.length), length: fc.nat(30), text: fc.string({ unit: 'binary' }) });
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 4 }), (damages) => {
        const damaged = damages.reduce(
          (xml, { at, length, text }) => xml.slice(0, at) + text + xml.slice(at + length),
          whole,
        );
        const read = parseMetadata(damaged);
        expect(read === undefined || typeof read.uid === 'string').to.equal(true);
      }),
      { numRuns: 300 },
    );
  });
});
