import { expect } from 'chai';
import { buildDomainXml } from './build.ts';
import { exampleContext, exampleDefinition } from './example-definitions.ts';
import { parseCards } from './parse-cards.ts';

describe('reading the network cards of a domain', () => {
  it('finds those that we write', () => {
    const definition = exampleDefinition();
    const cards = definition.interfaces.map(({ macAddress, network }) => ({ macAddress, network }));
    expect(cards).not.to.be.empty;
    expect(parseCards(buildDomainXml(definition, exampleContext))).to.deep.equal(cards);
  });

  it('finds none where there are none, on no network of libvirt, or in what others have put into the metadata', () => {
    const card = "<interface type='network'><mac address='52:54:00:00:00:01'/><source network='a'/></interface>";
    const bridged = "<interface type='bridge'><mac address='52:54:00:00:00:01'/><source bridge='br0'/></interface>";
    expect(parseCards(`<domain><metadata>${card}</metadata><devices>${bridged}</devices></domain>`)).to.deep.equal([]);
    expect(parseCards('<domain/>')).to.deep.equal([]);
    expect(parseCards('no XML')).to.deep.equal([]);
  });
});
