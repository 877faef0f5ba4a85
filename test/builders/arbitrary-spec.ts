// Specs that the API takes, drawn from the schema itself, so that a new field is tried as soon as there is one. Strings
// come from all that is allowed, and often from its edges: the longest, and characters that something could trip over.
import fc from 'fast-check';
import { formOf } from '#crds/schema/form.ts';
import type { StructuralSchema } from '#crds/schema/structural.ts';
import { rootSchema } from '#crds/schema/to-crd.ts';
import { virtualMachineKind } from '#crds/v1alpha1/virtual-machine.ts';
import type { VirtualMachineSpec } from '#crds/v1alpha1/virtual-machine-spec.ts';

/** Markup, control characters, what XML 1.0 forbids, line ends of Unicode, marks that combine, turn or do not show. */
export const HOSTILE = [
  '<a b="c">&amp;</a>',
  "]]><!-- ' -->",
  '\u0000',
  '\u001B[31m',
  'a\n',
  '\r\n\t',
  '\u007F\u0085',
  '\u2028\u2029',
  '\uFFFE\uFFFF',
  '\uFEFF\uFFFD',
  'e\u0301\u20DD',
  '\u202E\u2066abc',
  '\u200B\u200D',
  '\u{1F9D1}\u200D\u{1F4BB}',
  '\u{1D54F}\u{10FFFF}',
  '漢字 Ελλάδα עברית',
] as const;

function specSchema(): StructuralSchema {
  const { spec } = rootSchema(virtualMachineKind).properties ?? {};
  if (spec === undefined) throw new TypeError('a VirtualMachine has no spec');
  return spec;
}

/** What rules over several fields ask for is not in the schema of any one of them. */
const bySchemaAlone: Readonly<Record<string, (schema: StructuralSchema) => fc.Arbitrary<unknown>>> = {
  'spec.boot': ({ properties = {} }) =>
    fc.oneof(
      ...Object.entries(properties).map(([name, schema]) =>
        fc.record({ [name]: arbitraryOf(schema, `spec.boot.${name}`) }),
      ),
    ),
  'spec.resources.memory': () => memory,
  'spec.resources.cpuReservation': () => fc.constantFrom<string | number>(0, '0.5', '250m', '500m'),
  'spec.resources.cpuLimit': () => fc.constantFrom<string | number>(1, '0.75', '500m', '1.000'),
  'spec.resources.memoryMinimum': () => fc.constantFrom<string | number>(0, 1024, '1Mi', '0.5Mi'),
  'spec.placement.requiredHypervisorSelector.matchLabels': ({ maxProperties = 0 }) =>
    fc.dictionary(labelKey, labelValue, { maxKeys: maxProperties }),
};

const memory = fc.oneof(
  fc.integer({ min: 2 ** 20, max: 2 ** 46 }),
  fc.integer({ min: 1, max: 64 }).chain((count) => fc.constantFrom('Mi', 'Gi', 'Ti').map((unit) => `${count}${unit}`)),
  fc.constantFrom('1Mi', '64Ti', '1.5Gi', '0.001Ti', '1048576', '1.049M', '70.368T', '1000000.123k'),
);

const labelKey = fc.oneof(
  fc.stringMatching(/^([a-z0-9]{1,8}[.]example\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,8}[A-Za-z0-9])?$/),
  fc.constant(`${'d'.repeat(253)}/${'k'.repeat(63)}`),
);
const labelValue = fc.oneof(
  fc.stringMatching(/^([A-Za-z0-9]([-A-Za-z0-9_.]{0,8}[A-Za-z0-9])?)?$/),
  fc.constant('V'.repeat(63)),
);

const moment = fc.oneof(
  fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true }).map((date) => date.toISOString()),
  fc.constantFrom('2030-01-31T18:00:00+05:45', '2024-02-29t23:59:59z', '1970-01-01T00:00:00.000000001-12:00'),
);

function arbitraryOf(schema: StructuralSchema, path: string): fc.Arbitrary<unknown> {
  const special = bySchemaAlone[path];
  if (special !== undefined) return special(schema);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  switch (schema.type) {
    case 'object':
      return schema.properties === undefined ? mapOf(schema) : recordOf(schema, path);
    case 'array':
      return listOf(schema, path);
    case 'string':
      return schema.format === 'date-time' ? moment : textOf(schema);
    case 'integer':
      return fc.integer({ min: schema.minimum ?? 0, max: schema.maximum ?? 0 });
    case 'boolean':
      return fc.boolean();
    default:
      throw new TypeError(`${path}: say what it may be`);
  }
}

function recordOf({ properties = {}, required = [] }: StructuralSchema, path: string): fc.Arbitrary<object> {
  const fields = Object.entries(properties).map(([name, field]) => [name, arbitraryOf(field, `${path}.${name}`)]);
  return fc.record(Object.fromEntries(fields) as Record<string, fc.Arbitrary<unknown>>, { requiredKeys: required });
}

function listOf(schema: StructuralSchema, path: string): fc.Arbitrary<unknown[]> {
  const { items = {}, maxItems = 0, 'x-kubernetes-list-map-keys': keys = [] } = schema;
  const item = arbitraryOf(items, `${path}[]`);
  const identity = (entry: unknown) =>
    JSON.stringify(keys.length === 0 ? entry : keys.map((key) => Reflect.get(Object(entry), key)));
  return schema['x-kubernetes-list-type'] === 'atomic'
    ? fc.array(item, { maxLength: maxItems })
    : fc.uniqueArray(item, { selector: identity, maxLength: maxItems });
}

/** Of parameters: the only map whose values are free. */
function mapOf({ additionalProperties = {}, maxProperties = 0 }: StructuralSchema): fc.Arbitrary<object> {
  const key = fc.oneof(fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?$/), fc.constant('k'.repeat(63)));
  return fc.dictionary(key, textOf(additionalProperties), { maxKeys: maxProperties });
}

function textOf(schema: StructuralSchema): fc.Arbitrary<string> {
  const { minLength = 0, maxLength = 0, 'x-kubernetes-validations': rules = [] } = schema;
  const pattern = schema.pattern ?? rules.flatMap((rule) => formOf(rule)?.pattern ?? [])[0];
  const regex = new RegExp(pattern ?? '', 'u');
  const any = pattern === undefined ? anyText(maxLength) : fc.stringMatching(regex);
  const fits = (text: string) => regex.test(text) && lengthOf(text) >= minLength && lengthOf(text) <= maxLength;
  const longest = (text: string) => text + 'a'.repeat(Math.max(0, maxLength - lengthOf(text)));
  return fc
    .tuple(any, fc.boolean())
    .map(([text, long]) => (long && fits(longest(text)) ? longest(text) : text))
    .filter(fits);
}

/** As Kubernetes counts: characters, not bytes and not halves of surrogate pairs. */
function lengthOf(text: string): number {
  return Array.from(text).length;
}

function anyText(maxLength: number): fc.Arbitrary<string> {
  return fc.oneof(
    fc.string({ unit: 'binary', maxLength }),
    fc.string({ unit: 'grapheme', maxLength }),
    fc.array(fc.constantFrom(...HOSTILE), { maxLength: 4 }).map((parts) => parts.join('')),
    fc.constant('\u{1F40D}'.repeat(maxLength)),
  );
}

function consistent(drawn: VirtualMachineSpec, choice: number): VirtualMachineSpec {
  const spec = { ...drawn, ...(drawn.disks === undefined ? {} : { disks: withoutRepeats(drawn.disks) }) };
  return { ...spec, boot: bootOf(spec, choice), ...selecting(spec) };
}

type Disks = NonNullable<VirtualMachineSpec['disks']>;

/** No volume twice. */
function withoutRepeats(disks: Disks): Disks {
  const volumes = disks.map(({ pool, volume }) => `${pool}/${volume}`);
  return disks.filter((_, index) => volumes.indexOf(volumes[index] ?? '') === index);
}

/** From a disk or an interface that there is. */
function bootOf({ boot, disks = [], interfaces = [] }: VirtualMachineSpec, choice: number): VirtualMachineSpec['boot'] {
  const disk = disks[choice % Math.max(disks.length, 1)];
  const card = interfaces[choice % Math.max(interfaces.length, 1)];
  if (boot.disk !== undefined) return disk === undefined ? NO_DISK : { disk: { name: disk.name } };
  if (boot.network !== undefined) return card === undefined ? NO_DISK : { network: { interface: card.name } };
  return boot;
}

const NO_DISK = { kernel: { image: 'vmlinuz' } } as const;

/** With values for those operators alone that take some. */
function selecting({ placement }: VirtualMachineSpec): Pick<VirtualMachineSpec, 'placement'> {
  const { requiredHypervisorSelector: selector, ...rest } = placement ?? {};
  if (selector?.matchExpressions === undefined) return placement === undefined ? {} : { placement };
  const matchExpressions = selector.matchExpressions.map(({ values = [], ...requirement }) =>
    requirement.operator === 'In' || requirement.operator === 'NotIn'
      ? { ...requirement, values: values.length === 0 ? ['x'] : values }
      : requirement,
  );
  return { placement: { ...rest, requiredHypervisorSelector: { ...selector, matchExpressions } } };
}

/** As a user writes it, so without what defaults add. */
export const arbitrarySpec: fc.Arbitrary<VirtualMachineSpec> = fc
  .tuple(arbitraryOf(specSchema(), 'spec'), fc.nat())
  .map(([spec, choice]) => consistent(spec as VirtualMachineSpec, choice));
