// What the API server takes as a schema. TypeBox's own markers are left behind, and whatever a CustomResourceDefinition
// may not hold, or ours shall not leave unbounded, is refused here with the path to it rather than by a cluster.
import type { CelRule } from './cel-rule.ts';

/** The keywords of OpenAPI v3 that our CustomResourceDefinitions use. */
export interface StructuralSchema {
  description?: string;
  type?: 'object' | 'array' | 'string' | 'integer' | 'boolean';
  format?: string;
  enum?: string[];
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  default?: unknown;
  required?: string[];
  properties?: Record<string, StructuralSchema>;
  additionalProperties?: StructuralSchema;
  maxProperties?: number;
  items?: StructuralSchema;
  maxItems?: number;
  anyOf?: StructuralSchema[];
  'x-kubernetes-int-or-string'?: true;
  'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map';
  'x-kubernetes-list-map-keys'?: string[];
  'x-kubernetes-validations'?: CelRule[];
}

/** In the order in which they are emitted. */
const KEYWORDS = [
  'description',
  'type',
  'format',
  'enum',
  'pattern',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'default',
  'required',
  'properties',
  'additionalProperties',
  'maxProperties',
  'items',
  'maxItems',
  'anyOf',
  'x-kubernetes-int-or-string',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-validations',
] as const satisfies (keyof StructuralSchema)[];

/** A schema that no API server would take, or that leaves something unbounded or undescribed. */
export class NonStructuralSchema extends Error {
  readonly path: string;

  constructor(path: string, fault: string) {
    super(`${path}: ${fault}`);
    this.name = 'NonStructuralSchema';
    this.path = path;
  }
}

type Raw = Record<string, unknown>;
type Check = (schema: Raw) => string | undefined;

function unknownKeyword(schema: Raw): string | undefined {
  const known: readonly string[] = KEYWORDS;
  const stranger = Object.keys(schema).find((keyword) => !known.includes(keyword));
  if (stranger === undefined) return undefined;
  const remedy = REMEDIES[stranger] ?? 'use the builders of crds/schema/builders.ts';
  return `\`${stranger}\` is not for a CustomResourceDefinition: ${remedy}`;
}

const REMEDIES: Record<string, string> = {
  const: 'use stringEnum with one value',
  patternProperties: 'use stringMap',
  $ref: 'compose the fragments in code',
  oneOf: 'use optional fields and a CEL rule',
  allOf: 'use one object',
};

function additionalBesideProperties(schema: Raw): string | undefined {
  if (schema.additionalProperties === undefined || schema.properties === undefined) return undefined;
  return '`additionalProperties` beside `properties` is refused: unknown fields are pruned or rejected anyway';
}

function closedMap(schema: Raw): string | undefined {
  return typeof schema.additionalProperties === 'boolean'
    ? '`additionalProperties` must be a schema: use stringMap'
    : undefined;
}

function anyOfWithoutIntOrString(schema: Raw): string | undefined {
  if (schema.anyOf === undefined || schema['x-kubernetes-int-or-string'] === true) return undefined;
  return '`anyOf` is only for int-or-string: use quantity, or optional fields and a CEL rule';
}

function typeMissing(schema: Raw): string | undefined {
  if (schema['x-kubernetes-int-or-string'] === true) return undefined;
  const types = ['object', 'array', 'string', 'integer', 'boolean'];
  return types.includes(String(schema.type)) ? undefined : `\`type\` must be one of ${types.join(', ')}`;
}

function shapelessObject(schema: Raw): string | undefined {
  if (schema.type !== 'object' || schema.properties !== undefined) return undefined;
  if (schema.additionalProperties === undefined) return 'an object needs `properties`, or `additionalProperties`';
  return schema.maxProperties === undefined ? 'a map needs `maxProperties`' : undefined;
}

function unboundedArray(schema: Raw): string | undefined {
  if (schema.type !== 'array') return undefined;
  if (schema.items === undefined) return 'an array needs `items`';
  return schema.maxItems === undefined ? 'an array needs `maxItems`' : undefined;
}

function unboundedString(schema: Raw): string | undefined {
  if (schema.type !== 'string') return undefined;
  const bounded = [schema.maxLength, schema.enum, schema.format].some((bound) => bound !== undefined);
  return bounded ? undefined : 'a string needs `maxLength`, `enum` or `format`';
}

function unboundedInteger(schema: Raw): string | undefined {
  if (schema.type !== 'integer' && schema['x-kubernetes-int-or-string'] !== true) return undefined;
  const bounds = [schema.minimum, schema.maximum];
  return bounds.every(Number.isSafeInteger) ? undefined : 'an integer needs a safe `minimum` and `maximum`';
}

const CHECKS: Check[] = [
  unknownKeyword,
  additionalBesideProperties,
  closedMap,
  anyOfWithoutIntOrString,
  typeMissing,
  shapelessObject,
  unboundedArray,
  unboundedString,
  unboundedInteger,
];

function descriptionMissing(schema: Raw): string | undefined {
  return typeof schema.description === 'string' && schema.description !== ''
    ? undefined
    : '`description` is missing: it is what `kubectl explain` shows';
}

/**
 * A copy of `schema` with nothing but what a CustomResourceDefinition may hold, keywords in a fixed order.
 * Throws `NonStructuralSchema`, which names the path below `path` and says what to do.
 */
export function structural(schema: object, path: string): StructuralSchema {
  refuseIf([...CHECKS, descriptionMissing], schema, path);
  return copied(schema, path);
}

function refuseIf(checks: Check[], schema: object, path: string): void {
  for (const check of checks) {
    const fault = check({ ...schema });
    if (fault !== undefined) throw new NonStructuralSchema(path, fault);
  }
}

function copied(schema: StructuralSchema, path: string): StructuralSchema {
  const { properties, additionalProperties, items } = schema;
  const below = {
    ...schema,
    required: requiredOf(schema),
    properties: properties && propertiesOf(properties, path),
    items: items && structural(items, `${path}[]`),
    additionalProperties: additionalProperties && valueOf(additionalProperties, `${path}.*`),
  };
  const present = KEYWORDS.filter((keyword) => below[keyword] !== undefined);
  return Object.fromEntries(present.map((keyword) => [keyword, structuredClone(below[keyword])]));
}

/** A field with a default is never missing when the API server looks, and nobody has to write it. */
function requiredOf({ required = [], properties = {} }: StructuralSchema): string[] | undefined {
  const demanded = required.filter((name) => properties[name]?.default === undefined);
  return demanded.length === 0 ? undefined : demanded;
}

function propertiesOf(properties: Record<string, StructuralSchema>, path: string): Record<string, StructuralSchema> {
  const entries = Object.entries(properties);
  return Object.fromEntries(entries.map(([name, schema]) => [name, structural(schema, `${path}.${name}`)]));
}

/** The values of a map are described by the map. */
function valueOf(schema: StructuralSchema, path: string): StructuralSchema {
  refuseIf(CHECKS, schema, path);
  return copied(schema, path);
}
