// What ajv found, said as the API server says it, so that a user reads the same words from either.
import type { AnySchemaObject, ErrorObject } from 'ajv';

/** One line per fault, each beginning with the field. `root` is the object that was checked. */
export function errorLines(errors: readonly ErrorObject[], root: unknown): string[] {
  return [...new Set(errors.filter(isOwnFault).map((error) => lineOf(error, root)))];
}

/** The branches of int-or-string fail one by one; the fault is that none fits, which is an error of its own. */
function isOwnFault(error: ErrorObject): boolean {
  return !error.schemaPath.includes('/anyOf/');
}

function lineOf(error: ErrorObject, root: unknown): string {
  const phrase = PHRASES[error.keyword] ?? ((fault: ErrorObject) => invalid(fault, fault.message ?? fault.keyword));
  const path = [...segments(error.instancePath), ...fieldBelow(error)];
  return `${fieldPath(path, root)}: ${phrase(error)}`;
}

const PHRASES: Record<string, (error: ErrorObject) => string> = {
  required: (error) => `Required value${hint(schemaOf(error).properties?.[error.params.missingProperty])}`,
  additionalProperties: (error) => `unknown field: known here are ${knownFields(error)}`,
  enum: (error) => `Unsupported value: ${text(error.data)}: supported values: ${allowedValues(error)}`,
  type: (error) => invalid(error, `must be of type ${isTime(error) ? 'date-time' : error.params.type}`),
  anyOf: (error) => invalid(error, `must be of type integer,string${hint(error.parentSchema)}`),
  minimum: (error) => invalid(error, `should be greater than or equal to ${error.params.limit}`),
  maximum: (error) => invalid(error, `should be less than or equal to ${error.params.limit}`),
  minLength: (error) => invalid(error, `should be at least ${error.params.limit} chars long`),
  maxLength: (error) => `Too long: may not be more than ${error.params.limit} bytes`,
  maxItems: (error) => tooMany(error, lengthOf(error.data)),
  maxProperties: (error) => tooMany(error, lengthOf(Object.keys(Object(error.data)))),
  pattern: (error) => invalid(error, `should match '${error.params.pattern}'${hint(error.parentSchema)}`),
  format: (error) => invalid(error, `must be of type ${error.params.format}: ${text(error.data)}`),
  'x-kubernetes-validations': (error) => invalid(error, String(error.params.message)),
  'x-kubernetes-list-type': (error) => `Duplicate value: ${error.params.name}`,
};

function isTime(error: ErrorObject): boolean {
  return schemaOf(error).format === 'date-time';
}

function invalid(error: ErrorObject, wanted: string): string {
  return `Invalid value: ${text(error.data)}: ${wanted}`;
}

function tooMany(error: ErrorObject, count: number): string {
  return `Too many: ${count}: must have at most ${error.params.limit} items`;
}

function lengthOf(list: unknown): number {
  return Array.isArray(list) ? list.length : 0;
}

/** Long values are cut: the line is for people. */
function text(value: unknown): string {
  const json = JSON.stringify(value) ?? 'nothing';
  return json.length <= 80 ? json : `${json.slice(0, 77)}...`;
}

function hint(schema: AnySchemaObject | undefined): string {
  return typeof schema?.description === 'string' ? `: ${schema.description}` : '';
}

function schemaOf(error: ErrorObject): AnySchemaObject {
  return error.parentSchema ?? {};
}

function knownFields(error: ErrorObject): string {
  return Object.keys(schemaOf(error).properties ?? {}).join(', ');
}

function allowedValues(error: ErrorObject): string {
  const values: unknown = error.params.allowedValues;
  return Array.isArray(values) ? values.map((value) => JSON.stringify(value)).join(', ') : '';
}

/** ajv places some faults at the parent of the field they are about. */
function fieldBelow(error: ErrorObject): string[] {
  const { missingProperty, additionalProperty, index } = error.params;
  return [missingProperty, additionalProperty, index].filter((part) => part !== undefined).map(String);
}

/** A JSON pointer, taken apart. */
function segments(pointer: string): string[] {
  const parts = pointer.split('/').slice(1);
  return parts.map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function fieldPath(path: string[], root: unknown): string {
  let value = root;
  let field = '';
  for (const part of path) {
    if (Array.isArray(value)) field += `[${part}]`;
    else field += field === '' ? part : `.${part}`;
    value = Reflect.get(Object(value), part);
  }
  return field === '' ? 'object' : field;
}
