import { expect } from 'chai';
import { Type } from 'typebox';
import { integer, list, object, optional, quantity, stringEnum, stringMap, text } from './builders.ts';
import { NonStructuralSchema, structural } from './structural.ts';

const described = { description: 'A field.' };
const name = text('A name.', { maxLength: 63 });

function within(field: object): object {
  return { type: 'object', description: 'A parent.', properties: { field } };
}

describe('a structural schema', () => {
  it('is what the builders say, without the marks of TypeBox', () => {
    const schema = object('A thing.', { name, note: optional(text('A note.', { maxLength: 9 })) });
    expect(structural(schema, 'spec')).to.deep.equal({
      description: 'A thing.',
      type: 'object',
      required: ['name'],
      properties: {
        name: { description: 'A name.', type: 'string', maxLength: 63 },
        note: { description: 'A note.', type: 'string', maxLength: 9 },
      },
    });
    expect(Reflect.ownKeys(structural(schema, 'spec'))).to.not.include('~kind');
  });

  it('keeps rules wherever they are', () => {
    const rules = [{ rule: 'self.size() > 1', message: 'must have more than one entry' }];
    const schema = object('A thing.', { names: list('Names.', name, { maxItems: 3, rules }) });
    const { properties } = structural(schema, 'spec');
    expect(properties?.names).to.include.keys('items', 'x-kubernetes-validations');
    expect(properties?.names?.['x-kubernetes-validations']).to.deep.equal(rules);
  });

  it('asks nobody to write a field that has a default', () => {
    const size = integer('A size.', { minimum: 1, maximum: 9, default: 3 });
    expect(structural(object('A thing.', { size }), 'spec')).to.not.have.property('required');
    expect(structural(object('A thing.', { size, name }), 'spec').required).to.deep.equal(['name']);
  });

  it('says int-or-string as the API server wants it said', () => {
    const { properties } = structural(object('A thing.', { memory: quantity('Memory.') }), 'spec');
    expect(properties?.memory).to.not.have.property('type');
    expect(properties?.memory?.anyOf).to.deep.equal([{ type: 'integer' }, { type: 'string' }]);
    expect(properties?.memory?.['x-kubernetes-int-or-string']).to.equal(true);
  });

  it('does not share anything with what it was made from', () => {
    const schema = object('A thing.', { state: stringEnum('A state.', ['On', 'Off']) });
    structural(schema, 'spec').properties?.state?.enum?.push('Broken');
    expect(structural(schema, 'spec').properties?.state?.enum).to.deep.equal(['On', 'Off']);
  });

  const refused: [string, object, string][] = [
    ['const', within({ ...described, const: 'x' }), 'spec.field: `const` is not for a CustomResourceDefinition'],
    ['a raw Literal', object('A thing.', { field: Type.Literal('x') }), 'use stringEnum with one value'],
    ['a raw Record', object('A thing.', { field: Type.Record(Type.String(), Type.String()) }), 'use stringMap'],
    [
      'a raw Union',
      object('A thing.', { field: Type.Union([name, name], described) }),
      '`anyOf` is only for int-or-string',
    ],
    [
      'an unknown keyword',
      within({ ...described, type: 'string', maxLength: 1, examples: [] }),
      '`examples` is not for',
    ],
    [
      'additionalProperties beside properties',
      within({ ...described, type: 'object', properties: {}, additionalProperties: false }),
      'spec.field: `additionalProperties` beside `properties` is refused',
    ],
    ['a closed map', within({ ...described, type: 'object', additionalProperties: false }), 'must be a schema'],
    ['a missing type', within(described), 'spec.field: `type` must be one of'],
    ['a number that is no integer', within({ ...described, type: 'number' }), 'spec.field: `type` must be one of'],
    ['a missing description', within({ type: 'boolean' }), 'spec.field: `description` is missing'],
    ['an empty description', within({ type: 'boolean', description: '' }), 'spec.field: `description` is missing'],
    ['an object without a shape', within({ ...described, type: 'object' }), 'an object needs `properties`'],
    [
      'an unbounded map',
      within({ ...described, type: 'object', additionalProperties: { type: 'string', maxLength: 1 } }),
      'a map needs `maxProperties`',
    ],
    [
      'a map of unbounded values',
      within({ ...described, type: 'object', maxProperties: 1, additionalProperties: { type: 'string' } }),
      'spec.field.*: a string needs `maxLength`, `enum` or `format`',
    ],
    ['an unbounded array', within({ ...described, type: 'array', items: name }), 'an array needs `maxItems`'],
    ['an array of anything', within({ ...described, type: 'array', maxItems: 1 }), 'an array needs `items`'],
    [
      'an unbounded string in an array',
      within({ ...described, type: 'array', maxItems: 1, items: { ...described, type: 'string' } }),
      'spec.field[]: a string needs `maxLength`, `enum` or `format`',
    ],
    [
      'an unbounded integer',
      within({ ...described, type: 'integer', minimum: 0 }),
      'an integer needs a safe `minimum`',
    ],
    [
      'an integer that JavaScript cannot hold',
      within({ ...described, type: 'integer', minimum: 0, maximum: 2 ** 60 }),
      'an integer needs a safe `minimum` and `maximum`',
    ],
  ];
  for (const [what, schema, message] of refused) {
    it(`is refused with ${what}, naming the path`, () => {
      expect(() => structural(schema, 'spec'))
        .to.throw(NonStructuralSchema, message)
        .with.property('path')
        .that.matches(/^spec\.field/);
    });
  }

  it('may hold maps whose values are described by the map', () => {
    const labels = stringMap('Labels.', { maxProperties: 2, maxLength: 63 });
    const { properties } = structural(object('A thing.', { labels }), 'spec');
    expect(properties?.labels?.additionalProperties).to.deep.equal({ type: 'string', maxLength: 63 });
  });
});
