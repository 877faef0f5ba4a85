// `kubectl explain` shows descriptions and the values of an enum, but neither defaults nor bounds: they are put into words.
import type { StructuralSchema } from './structural.ts';

/** The schema with defaults and bounds told at the end of every description. */
export function explained(schema: StructuralSchema): StructuralSchema {
  const { properties, items } = schema;
  return {
    ...schema,
    ...(schema.description === undefined ? {} : { description: [schema.description, ...facts(schema)].join(' ') }),
    ...(properties === undefined ? {} : { properties: explainedEach(properties) }),
    ...(items === undefined ? {} : { items: explained(items) }),
  };
}

function explainedEach(properties: Record<string, StructuralSchema>): Record<string, StructuralSchema> {
  return Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, explained(schema)]));
}

function facts(schema: StructuralSchema): string[] {
  const { type, minimum, maximum, maxItems, maxProperties } = schema;
  return [
    ...(type === 'integer' ? [`From ${minimum} to ${maximum}.`] : []),
    ...(maxItems === undefined ? [] : [`At most ${maxItems}.`]),
    ...(maxProperties === undefined ? [] : [`At most ${maxProperties}.`]),
    ...(isScalar(schema.default) ? [`Defaults to ${schema.default}.`] : []),
  ];
}

/** What can be put into words as it is. */
export function isScalar(value: unknown): value is string | number | boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}
