// Every bound of a schema, broken once: what makes sure that none is forgotten by ajv or by the API server.
import { formOf } from '#crds/schema/form.ts';
import type { StructuralSchema } from '#crds/schema/structural.ts';

/** A valid object with one fault. */
export interface Violation {
  /** Which bound of which field of the schema: `spec.disks[].name maxLength`. */
  bound: string;
  /** The field as messages name it: `spec.disks[0].name`. */
  field: string;
  says: string;
  object: unknown;
}

interface Place {
  schema: StructuralSchema;
  value: unknown;
  /** In the schema, and in the object. */
  path: { schema: string; field: string };
  /** The whole object with `value` replaced. */
  rebuild: (value: unknown) => unknown;
}

/** Breaks each bound that the schema sets on a field which `object` has. */
export function violations(schema: StructuralSchema, object: unknown): Violation[] {
  return placesIn(schema, object).flatMap(violationsAt);
}

/** The bounds of length that `object` just keeps, as `Violation.bound` spells them. */
export function longestTexts(schema: StructuralSchema, object: unknown): string[] {
  return placesIn(schema, object).flatMap(({ schema: { maxLength }, value, path }) =>
    typeof value === 'string' && value.length === maxLength ? [`${path.schema} maxLength`] : [],
  );
}

function placesIn(schema: StructuralSchema, object: unknown): Place[] {
  return placesBelow({ schema, value: object, path: { schema: '', field: '' }, rebuild: (value: unknown) => value });
}

/** What people may write though something could trip over it: `spec.boot.kernel.commandLine markup`. */
export function hostileTexts(schema: StructuralSchema): string[] {
  const { spec } = schema.properties ?? {};
  return spec === undefined ? [] : hostileBelow(spec, 'spec').toSorted();
}

function hostileBelow(schema: StructuralSchema, path: string): string[] {
  const { properties = {}, items, additionalProperties: values, 'x-kubernetes-validations': rules = [] } = schema;
  const areFree = values !== undefined && !rules.some(({ rule }) => rule.includes('self[key].matches'));
  return [
    ...(schema.type === 'string' && schema.enum === undefined && schema.format === undefined
      ? hostileIn(schema, path)
      : []),
    ...Object.entries(properties).flatMap(([name, property]) => hostileBelow(property, join(path, name))),
    ...(items === undefined ? [] : hostileBelow(items, `${path}[]`)),
    ...(areFree ? hostileBelow(values, path) : []),
  ];
}

function hostileIn(schema: StructuralSchema, path: string): string[] {
  return Object.entries(HOSTILE).flatMap(([name, text]) =>
    hostile(text)(schema, text) === undefined ? [`${path} ${name}`] : [],
  );
}

/** The names of all bounds that a schema sets, as `Violation.bound` spells them. */
export function bounds(schema: StructuralSchema): string[] {
  return boundsBelow(schema, '').toSorted();
}

function boundsBelow(schema: StructuralSchema, path: string): string[] {
  const { properties = {}, items } = schema;
  const fields = Object.entries(properties).filter(([name]) => path !== '' || isOurs(name));
  return [
    ...fields.flatMap(([name, property]) => {
      const below = join(path, name);
      return [...boundNames(property).map((bound) => `${below} ${bound}`), ...boundsBelow(property, below)];
    }),
    ...(items === undefined
      ? []
      : [...boundNames(items).map((bound) => `${path}[] ${bound}`), ...boundsBelow(items, `${path}[]`)]),
  ];
}

/** The rest of an object is bounded by Kubernetes itself. */
function isOurs(field: string): boolean {
  return field === 'spec' || field === 'status';
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

function boundNames(schema: StructuralSchema): string[] {
  return Object.entries(BREAKERS).flatMap(([bound, breaker]) =>
    breaker(schema, undefined) === undefined ? [] : [bound],
  );
}

function placesBelow(place: Place): Place[] {
  const children = [...fieldsOf(place), ...entriesOf(place)];
  return children.flatMap((child) => [child, ...placesBelow(child)]);
}

function fieldsOf({ schema, value, path, rebuild }: Place): Place[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(schema.properties ?? {})
    .filter(([name]) => name in value && (path.schema !== '' || isOurs(name)))
    .map(([name, property]) => ({
      schema: property,
      value: Reflect.get(value, name),
      path: { schema: join(path.schema, name), field: join(path.field, name) },
      rebuild: (replaced) => rebuild({ ...value, [name]: replaced }),
    }));
}

/** Entries of a list share their schema: the first stands for all. */
function entriesOf({ schema, value, path, rebuild }: Place): Place[] {
  if (schema.items === undefined || !Array.isArray(value) || value.length === 0) return [];
  const [first, ...others] = value;
  return [
    {
      schema: schema.items,
      value: first,
      path: { schema: `${path.schema}[]`, field: `${path.field}[0]` },
      rebuild: (replaced) => rebuild([replaced, ...others]),
    },
  ];
}

function violationsAt({ schema, value, path, rebuild }: Place): Violation[] {
  return Object.entries(BREAKERS).flatMap(([name, breaker]) => {
    const broken = breaker(schema, value);
    if (broken === undefined) return [];
    const { at = '', says } = broken;
    return [{ bound: `${path.schema} ${name}`, field: `${path.field}${at}`, says, object: rebuild(broken.value) }];
  });
}

/** What something behind the API could trip over: XML, terminals, logs, people who compare two names by eye. */
const HOSTILE: Readonly<Record<string, string>> = {
  markup: '<a b="c">&</a>',
  null: 'a\u0000',
  lineEnd: 'a\n',
  escape: '\u001B[31m',
  accent: 'é',
  combining: 'e\u0301',
  astral: '\u{1D54F}',
  direction: '\u202Ea',
  invisible: 'a\u200B',
};

/** How a bound is broken, or undefined where the schema does not set it. */
type Breaker = (schema: StructuralSchema, value: unknown) => { value: unknown; says: string; at?: string } | undefined;

/** Of a string that must look like something, unless this is what it may look like. */
function hostile(text: string): Breaker {
  return ({ pattern, minLength = 1, 'x-kubernetes-validations': rules = [] }) => {
    const [form] = rules.flatMap((rule) => formOf(rule) ?? []);
    const wanted = form?.pattern ?? pattern;
    if (wanted === undefined || new RegExp(wanted).test(text)) return undefined;
    return { value: text.repeat(minLength), says: form?.message ?? `should match '${wanted}'` };
  };
}

const BREAKERS: Record<string, Breaker> = {
  ...Object.fromEntries(Object.entries(HOSTILE).map(([name, text]) => [name, hostile(text)])),
  type: ({ type = 'integer,string', format }) => ({
    value: type.includes('string') ? {} : 'text',
    says: `must be of type ${format === 'date-time' ? format : type}`,
  }),
  required: ({ required: [first] = [] }, value) =>
    first === undefined ? undefined : { value: without(value, first), at: `.${first}`, says: 'Required value' },
  unknownField: ({ properties }, value) =>
    properties === undefined
      ? undefined
      : { value: { ...Object(value), nonsense: 1 }, at: '.nonsense', says: 'unknown field' },
  enum: ({ enum: values }) => (values === undefined ? undefined : { value: 'Nonsense', says: 'Unsupported value' }),
  format: ({ format }) =>
    format === 'date-time' ? { value: 'noon', says: 'must be of type date-time: "noon"' } : undefined,
  pattern: ({ pattern, minLength = 1 }) =>
    pattern === undefined ? undefined : { value: '\u0007'.repeat(minLength), says: `should match '${pattern}'` },
  form: ({ 'x-kubernetes-validations': rules = [] }) => {
    const [form] = rules.flatMap((rule) => formOf(rule) ?? []);
    return form === undefined ? undefined : { value: '\u0007', says: form.message };
  },
  minimum: ({ minimum }) =>
    minimum === undefined ? undefined : { value: minimum - 1, says: `should be greater than or equal to ${minimum}` },
  maximum: ({ maximum }) =>
    maximum === undefined ? undefined : { value: maximum + 1, says: `should be less than or equal to ${maximum}` },
  minLength: ({ minLength }) =>
    minLength === undefined
      ? undefined
      : { value: 'a'.repeat(minLength - 1), says: `should be at least ${minLength} chars long` },
  maxLength: ({ maxLength }) =>
    maxLength === undefined
      ? undefined
      : { value: 'a'.repeat(maxLength + 1), says: `Too long: may not be more than ${maxLength} bytes` },
  maxItems: ({ maxItems }, value) =>
    maxItems === undefined
      ? undefined
      : {
          value: repeated(value, maxItems + 1),
          says: `Too many: ${maxItems + 1}: must have at most ${maxItems} items`,
        },
  twice: (schema, value) =>
    schema.type !== 'array' || schema['x-kubernetes-list-type'] === 'atomic'
      ? undefined
      : { value: repeated(value, 2), at: '[1]', says: 'Duplicate value' },
  maxProperties: ({ maxProperties }) =>
    maxProperties === undefined
      ? undefined
      : {
          value: entries(maxProperties + 1),
          says: `Too many: ${maxProperties + 1}: must have at most ${maxProperties} items`,
        },
  valueType: ({ additionalProperties }) =>
    additionalProperties === undefined
      ? undefined
      : { value: { key: {} }, at: '.key', says: `must be of type ${additionalProperties.type}` },
  valueMaxLength: ({ additionalProperties: { maxLength } = {} }) =>
    maxLength === undefined
      ? undefined
      : {
          value: { key: 'a'.repeat(maxLength + 1) },
          at: '.key',
          says: `Too long: may not be more than ${maxLength} bytes`,
        },
};

function without(value: unknown, field: string): unknown {
  return Object.fromEntries(Object.entries(Object(value)).filter(([name]) => name !== field));
}

function repeated(list: unknown, count: number): unknown[] {
  const [first] = Array.isArray(list) ? list : [];
  return Array.from({ length: count }, () => first);
}

function entries(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`key-${index}`, 'value']));
}
