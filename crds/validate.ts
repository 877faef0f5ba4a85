// Objects checked without an API server, against the very schema that the API server is given. Of the CEL rules only
// those on the form of a string are run here: the others only the API server can. The corpus says who must refuse what.
import { Ajv, type ErrorObject, type SchemaObject, type SchemaValidateFunction } from 'ajv';
import type { CelRule } from './schema/cel-rule.ts';
import { formOf } from './schema/form.ts';
import type { KindDefinition } from './schema/kind.ts';
import type { StructuralSchema } from './schema/structural.ts';
import { rootSchema } from './schema/to-crd.ts';
import { API_VERSION } from './v1alpha1/names.ts';
import { errorLines } from './validation-errors.ts';

export type Validation<T> =
  /** The object as the API server would store it: defaults filled in, nulls left out. */
  | { valid: true; object: T }
  /** A line per fault: the field, what is wrong with it, what is wanted, in the words of the API server. */
  | { valid: false; errors: string[] };

export type Validator<T> = (object: unknown) => Validation<T>;

/** Compiles the validator of a kind, which takes milliseconds: keep it. What it is given is never changed. */
export function validatorFor<T>(definition: KindDefinition): Validator<T> {
  const validate = compiler().compile<T>(served(definition));
  return (object) => {
    const candidate = withoutNulls(object);
    if (validate(candidate)) return { valid: true, object: candidate };
    return { valid: false, errors: errorLines(validate.errors ?? [], candidate) };
  };
}

function compiler(): Ajv {
  const ajv = new Ajv({
    strict: false,
    allErrors: true,
    verbose: true,
    useDefaults: true,
    formats: {
      'date-time': isDateTime,
      int32: { type: 'number', validate: (value: number) => Math.abs(value) < 2 ** 31 },
      int64: { type: 'number', validate: Number.isSafeInteger },
    },
  });
  ajv.addKeyword({ keyword: 'x-kubernetes-list-type', errors: true, validate: noEntryTwice });
  ajv.addKeyword({ keyword: 'x-kubernetes-validations', errors: true, validate: inForm });
  return ajv;
}

/** The schema with every object closed, as `fieldValidation=Strict` closes it, and bound to this kind. */
function served(definition: KindDefinition): SchemaObject {
  const { properties, ...root } = closed(rootSchema(definition));
  return {
    ...root,
    required: ['apiVersion', 'kind', 'metadata', 'spec'],
    properties: {
      ...properties,
      apiVersion: { type: 'string', enum: [API_VERSION] },
      kind: { type: 'string', enum: [definition.kind] },
    },
  };
}

function closed(schema: StructuralSchema): SchemaObject {
  const { properties, items, additionalProperties } = schema;
  return {
    ...schema,
    ...(properties === undefined ? {} : { properties: closedEach(properties), additionalProperties: false }),
    ...(items === undefined ? {} : { items: closed(items) }),
    ...(additionalProperties === undefined ? {} : { additionalProperties: closed(additionalProperties) }),
  };
}

function closedEach(properties: Record<string, StructuralSchema>): Record<string, SchemaObject> {
  return Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, closed(schema)]));
}

/** A deep copy in which a field that is null is left out, as the API server leaves it out. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([, field]) => field !== null);
  return Object.fromEntries(kept.map(([name, field]) => [name, withoutNulls(field)]));
}

const DATE_TIME = /^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})$/;

/** JavaScript reads the 30th of February as a day of March; Kubernetes does not. */
function isDateTime(text: string): boolean {
  const wallClock = text.slice(0, 19).toUpperCase();
  const time = Date.parse(`${wallClock}Z`);
  return DATE_TIME.test(text) && !Number.isNaN(time) && new Date(time).toISOString().startsWith(wallClock);
}

/** Sets and lists with keys hold nothing twice; plain JSON Schema cannot say so. */
const noEntryTwice: SchemaValidateFunction = (listType: unknown, entries: unknown, schema) => {
  if (listType === 'atomic' || !Array.isArray(entries)) return true;
  const keys: unknown = schema?.['x-kubernetes-list-map-keys'];
  const names = entries.map((entry: unknown) => JSON.stringify(listType === 'map' ? keyFields(entry, keys) : entry));
  const repeated = names.findIndex((name, index) => names.indexOf(name) < index);
  if (repeated < 0) return true;
  noEntryTwice.errors = [duplicate(repeated, names[repeated] ?? '')];
  return false;
};

function duplicate(index: number, name: string): Partial<ErrorObject> {
  return { keyword: 'x-kubernetes-list-type', params: { index, name } };
}

function keyFields(entry: unknown, keys: unknown): unknown {
  if (typeof entry !== 'object' || entry === null || !Array.isArray(keys)) return entry;
  return Object.fromEntries(Object.entries(entry).filter(([field]) => keys.includes(field)));
}

/** What is no string or number at all has another fault. */
const inForm: SchemaValidateFunction = (rules: readonly CelRule[], value: unknown) => {
  if (typeof value !== 'string' && typeof value !== 'number') return true;
  const forms = rules.flatMap((rule) => formOf(rule) ?? []);
  const broken = forms.filter(({ pattern }) => !new RegExp(pattern).test(String(value)));
  inForm.errors = broken.map(({ message }) => ({ keyword: 'x-kubernetes-validations', params: { message } }));
  return broken.length === 0;
};
