// The only way a schema is written here. Each builder emits what a CRD's structural schema accepts; TypeBox's raw
// Literal, Enum, Record and Union emit `const`, `anyOf` and `patternProperties`, which the API server refuses.
import { type Static, type TProperties, type TSchema, Type } from 'typebox';
import { CPU_PATTERN } from '#crds/cpu-quantity.ts';
import { QUANTITY_PATTERN } from '#crds/quantity.ts';
import type { CelRule } from './cel-rule.ts';
import { type Form, formRule } from './form.ts';

interface Common<T> {
  default?: T;
  rules?: CelRule[];
}

function extras<T>(description: string, options: Common<T>): Record<string, unknown> {
  return {
    description,
    ...(options.default === undefined ? {} : { default: options.default }),
    ...(options.rules === undefined ? {} : { 'x-kubernetes-validations': options.rules }),
  };
}

/** An object whose properties are required unless wrapped in `optional`. Unknown fields are pruned by the API server. */
export function object<P extends TProperties>(description: string, properties: P, options: Common<unknown> = {}) {
  return Type.Object(properties, extras(description, options));
}

/** A property that may be left out. */
export function optional<S extends TSchema>(schema: S) {
  return Type.Optional(schema);
}

interface TextBounds extends Common<string> {
  maxLength: number;
  minLength?: number;
  /** For what programs write. */
  pattern?: string;
  /** For what people write. */
  form?: Form;
}

/** A string, always with an upper bound: CEL's cost estimate and etcd both need one. */
export function text(description: string, bounds: TextBounds) {
  const { maxLength, minLength, pattern, form, rules = [] } = bounds;
  const all = form === undefined ? rules : [formRule(form, 'self'), ...rules];
  return Type.Unsafe<string>({
    type: 'string',
    maxLength,
    ...(minLength === undefined ? {} : { minLength }),
    ...(pattern === undefined ? {} : { pattern }),
    ...extras(description, { ...bounds, ...(all.length === 0 ? {} : { rules: all }) }),
  });
}

/** One of these words. */
export function stringEnum<const V extends string>(description: string, values: readonly V[], options: Common<V> = {}) {
  return Type.Unsafe<V>({ type: 'string', enum: [...values], ...extras(description, options) });
}

/** An integer within JavaScript's safe range. */
export function integer(description: string, bounds: Common<number> & { minimum: number; maximum: number }) {
  const { minimum, maximum } = bounds;
  return Type.Unsafe<number>({
    type: 'integer',
    ...(maximum > 2 ** 31 - 1 ? { format: 'int64' } : { format: 'int32' }),
    minimum,
    maximum,
    ...extras(description, bounds),
  });
}

/** Yes or no. */
export function flag(description: string, options: Common<boolean> = {}) {
  return Type.Unsafe<boolean>({ type: 'boolean', ...extras(description, options) });
}

/** RFC 3339, as the API server writes it. */
export function timestamp(description: string) {
  return Type.Unsafe<string>({ type: 'string', format: 'date-time', description });
}

const QUANTITY_FORM: Form = {
  pattern: QUANTITY_PATTERN,
  message:
    'must be a number of bytes, or a number with one of the units Ki, Mi, Gi, Ti, Pi, k, M, G, T and P, for example 512Mi or 4Gi',
};

/** A Kubernetes quantity such as 512Mi or 2G: a whole number of bytes, or the same with a suffix. */
export function quantity(description: string, options: Common<string | number> = {}) {
  return Type.Unsafe<string | number>({
    anyOf: [{ type: 'integer' }, { type: 'string' }],
    'x-kubernetes-int-or-string': true,
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    ...extras(description, { ...options, rules: [formRule(QUANTITY_FORM, 'string(self)'), ...(options.rules ?? [])] }),
  });
}

const CPU_FORM: Form = {
  pattern: CPU_PATTERN,
  message: 'must be a number of CPUs, or of thousandths of one with an m, for example 2, 0.5 or 500m',
};

/** CPU time as Kubernetes writes it: 2, "0.5" or 500m. */
export function cpuQuantity(description: string) {
  return Type.Unsafe<string | number>({
    anyOf: [{ type: 'integer' }, { type: 'string' }],
    'x-kubernetes-int-or-string': true,
    minimum: 0,
    maximum: 512,
    ...extras(description, { rules: [formRule(CPU_FORM, 'string(self)')] }),
  });
}

/** Free keys, bounded values: what labels and parameters are. */
export function stringMap(
  description: string,
  bounds: { maxProperties: number; maxLength: number; rules?: CelRule[] },
) {
  return Type.Unsafe<Record<string, string>>({
    type: 'object',
    maxProperties: bounds.maxProperties,
    additionalProperties: { type: 'string', maxLength: bounds.maxLength },
    ...extras(description, bounds),
  });
}

type ListBounds = Common<unknown> & { maxItems: number };

/** An atomic list: a patch replaces it whole. */
export function list<S extends TSchema>(description: string, item: S, bounds: ListBounds) {
  return array(item, { 'x-kubernetes-list-type': 'atomic', ...extras(description, bounds) }, bounds.maxItems);
}

/** A set: no value twice. */
export function setOf<S extends TSchema>(description: string, item: S, bounds: ListBounds) {
  return array(item, { 'x-kubernetes-list-type': 'set', ...extras(description, bounds) }, bounds.maxItems);
}

/** A list whose entries are told apart by `key`: server-side apply merges it entry by entry. */
export function listMap<S extends TSchema>(
  description: string,
  key: string & keyof Static<S>,
  item: S,
  bounds: ListBounds,
) {
  const kind = { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': [key] };
  return array(item, { ...kind, ...extras(description, bounds) }, bounds.maxItems);
}

function array<S extends TSchema>(items: S, keywords: object, maxItems: number) {
  return Type.Unsafe<Static<S>[]>({ type: 'array', maxItems, items, ...keywords });
}
