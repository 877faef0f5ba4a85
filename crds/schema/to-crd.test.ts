import { expect } from 'chai';
import { integer, object } from './builders.ts';
import { type KindDefinition, resourceOf } from './kind.ts';
import { toCrd } from './to-crd.ts';

const API = { group: 'example.org', version: 'v1' };
const LAMP = {
  kind: 'Lamp',
  plural: 'lamps',
  singular: 'lamp',
  shortNames: ['lp'],
  scope: 'Cluster',
  description: 'Gives light.',
  spec: object('What is wanted.', {
    watts: integer('How bright.', { minimum: 1, maximum: 100, default: 40 }),
  }),
  status: object('What is.', { hours: integer('How long it has burnt.', { minimum: 0, maximum: 9 }) }),
  statusDefault: { hours: 0 },
  rules: [{ rule: 'self.metadata.name.size() <= 63', message: 'metadata.name is too long' }],
  columns: [{ name: 'Watts', type: 'integer', jsonPath: '.spec.watts', description: 'How bright.', priority: 1 }],
  selectableFields: ['.spec.watts'],
} satisfies KindDefinition;

describe('the CustomResourceDefinition of a kind', () => {
  const crd = toCrd(LAMP, API);
  const [version] = crd.spec.versions;
  const root = version.schema.openAPIV3Schema;

  it('is named and found as kubectl expects', () => {
    expect(crd.metadata.name).to.equal('lamps.example.org');
    expect(crd.spec.scope).to.equal('Cluster');
    expect(crd.spec.names).to.deep.equal({
      kind: 'Lamp',
      listKind: 'LampList',
      plural: 'lamps',
      singular: 'lamp',
      shortNames: ['lp'],
      categories: ['usher'],
    });
  });

  it('has a status of its own, a default for it, columns and selectable fields', () => {
    expect(version.subresources).to.deep.equal({ status: {} });
    expect(root.properties?.status?.default).to.deep.equal({ hours: 0 });
    expect(version.additionalPrinterColumns).to.deep.equal(LAMP.columns);
    expect(version.selectableFields).to.deep.equal([{ jsonPath: '.spec.watts' }]);
  });

  it('requires a spec and keeps the rules on the whole object', () => {
    expect(root.required).to.deep.equal(['spec']);
    expect(root['x-kubernetes-validations']).to.deep.equal(LAMP.rules);
  });

  it('tells defaults and bounds in the words of the spec, which is all that kubectl explain shows', () => {
    expect(root.properties?.spec?.properties?.watts?.description).to.equal(
      'How bright. From 1 to 100. Defaults to 40.',
    );
    expect(root.properties?.status?.properties?.hours?.description).to.equal('How long it has burnt.');
  });

  it('goes with a descriptor for the client', () => {
    expect(resourceOf(LAMP, 'example.org/v1')).to.deep.equal({
      apiVersion: 'example.org/v1',
      kind: 'Lamp',
      plural: 'lamps',
      namespaced: false,
      selectableFields: ['.spec.watts'],
    });
  });
});
