// A kind as the CustomResourceDefinition that serves it.
import { explained } from './explain.ts';
import type { KindDefinition, PrinterColumn } from './kind.ts';
import { type StructuralSchema, structural } from './structural.ts';

/** The group and the version under which a kind is served. */
export interface ApiVersion {
  group: string;
  version: string;
}

export interface CustomResourceDefinition {
  apiVersion: 'apiextensions.k8s.io/v1';
  kind: 'CustomResourceDefinition';
  metadata: { name: string };
  spec: {
    group: string;
    names: {
      kind: string;
      listKind: string;
      plural: string;
      singular: string;
      shortNames: string[];
      categories: string[];
    };
    scope: KindDefinition['scope'];
    versions: [CrdVersion];
  };
}

export interface CrdVersion {
  name: string;
  served: true;
  storage: true;
  schema: { openAPIV3Schema: StructuralSchema };
  subresources: { status: Record<string, never> };
  additionalPrinterColumns: PrinterColumn[];
  selectableFields?: { jsonPath: string }[];
}

/** `kubectl get usher` lists every kind of this project. */
const CATEGORY = 'usher';

/** Throws `NonStructuralSchema` where the API server would refuse the schema, naming the path. */
export function toCrd(definition: KindDefinition, api: ApiVersion): CustomResourceDefinition {
  const { kind, plural, singular, shortNames, scope } = definition;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${api.group}` },
    spec: {
      group: api.group,
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular,
        shortNames: [...shortNames],
        categories: [CATEGORY],
      },
      scope,
      versions: [versionOf(definition, api.version)],
    },
  };
}

function versionOf(definition: KindDefinition, name: string): CrdVersion {
  const { selectableFields = [] } = definition;
  return {
    name,
    served: true,
    storage: true,
    schema: { openAPIV3Schema: rootSchema(definition) },
    subresources: { status: {} },
    additionalPrinterColumns: definition.columns.map((column) => ({ ...column })),
    ...(selectableFields.length === 0 ? {} : { selectableFields: selectableFields.map((jsonPath) => ({ jsonPath })) }),
  };
}

/** apiVersion, kind and metadata are the API server's own: it bounds them, and describes metadata, itself. */
export function rootSchema(definition: KindDefinition): StructuralSchema {
  const { description, statusDefault, rules = [] } = definition;
  const status = structural(definition.status, 'status');
  return {
    description,
    type: 'object',
    required: ['spec'],
    properties: {
      apiVersion: { description: 'Group and version of the API this object is written in.', type: 'string' },
      kind: { description: 'The kind of this object.', type: 'string' },
      metadata: { type: 'object' },
      spec: explained(structural(definition.spec, 'spec')),
      status: statusDefault === undefined ? status : { ...status, default: statusDefault },
    },
    ...(rules.length === 0 ? {} : { 'x-kubernetes-validations': rules.map((rule) => ({ ...rule })) }),
  };
}
