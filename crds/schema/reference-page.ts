// The reference page of a kind, for the people who write its manifests.
import { isScalar } from './explain.ts';
import { formOf } from './form.ts';
import type { KindDefinition } from './kind.ts';
import { type StructuralSchema, structural } from './structural.ts';
import { type ApiVersion, rootSchema } from './to-crd.ts';

/** Markdown. `example` is the YAML of a valid object. The same definition gives the same bytes. */
export function referencePage(definition: KindDefinition, api: ApiVersion, example: string): string {
  const sections = [
    `# ${definition.kind}`,
    definition.description,
    identity(definition, api),
    `## Example\n\n\`\`\`yaml\n${example.trimEnd()}\n\`\`\``,
    specSection(structural(definition.spec, 'spec')),
    statusSection(structural(definition.status, 'status')),
    wholeObjectRules(definition),
    columns(definition),
    fieldSelectors(definition),
  ];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

function identity(definition: KindDefinition, api: ApiVersion): string {
  const { plural, shortNames, scope } = definition;
  const names = [plural, ...shortNames].map((name) => `\`kubectl get ${name}\``).join(' or ');
  const where = scope === 'Namespaced' ? 'It lives in a namespace' : 'It belongs to the cluster, not to a namespace';
  return `API version \`${api.group}/${api.version}\`. ${where}. List it with ${names}.`;
}

function specSection(spec: StructuralSchema): string {
  const rows = fieldsOf(spec, '').map((field) => [
    `\`${field.path}\``,
    typeOf(field.schema),
    defaultOf(field),
    boundsOf(field.schema),
    field.schema.description ?? '',
  ]);
  const heads = ['Field', 'Type', 'Default', 'Bounds', 'Meaning'];
  return section('## Spec: what you write', spec.description, table(heads, rows), rulesOf(spec, 'spec'));
}

/** Nobody writes the status by hand, so its bounds are left out; the values it may take are not. */
function statusSection(status: StructuralSchema): string {
  const rows = fieldsOf(status, '').map(({ path, schema }) => [
    `\`${path}\``,
    typeOf(schema),
    [schema.description, ...valuesOf(schema)].join(' '),
  ]);
  const heads = ['Field', 'Type', 'Meaning'];
  return section('## Status: what Usher answers', status.description, table(heads, rows), rulesOf(status, 'status'));
}

function section(heading: string, description = '', fields: string, rules: string[]): string {
  return [heading, description, fields, ...(rules.length === 0 ? [] : ['Rules:', rules.join('\n')])].join('\n\n');
}

interface Field {
  path: string;
  schema: StructuralSchema;
  required: boolean;
}

/** Every field below `schema`, parents first; entries of lists are written `disks[].name`. */
function fieldsOf(schema: StructuralSchema, prefix: string): Field[] {
  const { properties = {}, required = [] } = schema;
  return Object.entries(properties).flatMap(([name, property]) => {
    const path = `${prefix}${name}`;
    const below =
      property.items === undefined ? fieldsOf(property, `${path}.`) : fieldsOf(property.items, `${path}[].`);
    return [{ path, schema: property, required: required.includes(name) }, ...below];
  });
}

function typeOf(schema: StructuralSchema): string {
  if (schema['x-kubernetes-int-or-string'] === true) return 'quantity';
  if (schema.items !== undefined) return `list of ${schema.items.type}s`;
  if (schema.additionalProperties !== undefined) return `map of ${schema.additionalProperties.type}s`;
  return schema.format === 'date-time' ? 'time' : (schema.type ?? '');
}

function defaultOf({ schema, required }: Field): string {
  if (required) return '**required**';
  const { default: value } = schema;
  return isScalar(value) ? `\`${value}\`` : '';
}

function boundsOf(schema: StructuralSchema): string {
  const { minimum, maximum, maxLength, maxItems, maxProperties, pattern, type } = schema;
  const { 'x-kubernetes-validations': rules = [] } = schema;
  const bounds = [
    schema.enum === undefined ? undefined : codes(schema.enum),
    type === 'integer' ? range(minimum, maximum) : undefined,
    maxLength === undefined ? undefined : `at most ${maxLength} characters`,
    maxItems === undefined ? undefined : `at most ${maxItems}`,
    maxProperties === undefined ? undefined : `at most ${maxProperties}`,
    type === 'string' && pattern !== undefined ? codes([pattern]) : undefined,
    ...rules.flatMap((rule) => formOf(rule)?.message ?? []),
  ];
  return bounds.filter((bound) => bound !== undefined).join('; ');
}

function valuesOf(schema: StructuralSchema): string[] {
  return schema.enum === undefined ? [] : [`One of ${codes(schema.enum)}.`];
}

function codes(values: string[]): string {
  return values.map((value) => `\`${value}\``).join(', ');
}

function range(minimum = 0, maximum = Number.MAX_SAFE_INTEGER): string {
  return maximum === Number.MAX_SAFE_INTEGER ? `from ${minimum}` : `${minimum} to ${maximum}`;
}

function rulesOf(schema: StructuralSchema, path: string): string[] {
  const { properties = {}, items } = schema;
  const rules = (schema['x-kubernetes-validations'] ?? []).filter((rule) => formOf(rule) === undefined);
  const own = rules.map(({ fieldPath = '', message }) => `- \`${path}${fieldPath}\`: ${message}.`);
  const below = Object.entries(properties).flatMap(([name, property]) => rulesOf(property, `${path}.${name}`));
  return [...own, ...below, ...(items === undefined ? [] : rulesOf(items, `${path}[]`))];
}

function wholeObjectRules(definition: KindDefinition): string {
  const rules = rootSchema(definition)['x-kubernetes-validations'] ?? [];
  if (rules.length === 0) return '';
  return `## Rules on the whole object\n\n${rules.map((rule) => `- ${rule.message}.`).join('\n')}`;
}

function columns(definition: KindDefinition): string {
  const rows = definition.columns.map((column) => [
    column.name,
    column.description,
    column.priority === 1 ? 'with `-o wide`' : 'always',
  ]);
  return `## Columns of \`kubectl get\`\n\n${table(['Column', 'Meaning', 'Shown'], rows)}`;
}

function fieldSelectors(definition: KindDefinition): string {
  const { selectableFields = [], plural } = definition;
  const commands = selectableFields.map((path) => `kubectl get ${plural} --field-selector ${path.slice(1)}=<value>`);
  if (commands.length === 0) return '';
  return `## Field selectors\n\n\`\`\`sh\n${commands.join('\n')}\n\`\`\``;
}

function table(heads: string[], rows: string[][]): string {
  return [heads, heads.map(() => '---'), ...rows].map(tableRow).join('\n');
}

function tableRow(cells: string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
