// The kinds on which stores are tried: one built in, and one of a CustomResourceDefinition with all that ours use.
import type { KubeObject, ResourceType } from '../resource.ts';

export interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}

export const configMaps: ResourceType<ConfigMap> = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  namespaced: true,
};

export interface Widget extends KubeObject {
  spec: { color?: string; size?: number; tags?: string[]; options?: Record<string, string> };
  status?: { phase?: string; place?: string };
}

export const widgets: ResourceType<Widget> = {
  apiVersion: 'conformance.usher.dev/v1',
  kind: 'Widget',
  plural: 'widgets',
  namespaced: true,
  selectableFields: ['.status.place', '.spec.size'],
};

const text = { type: 'string' };
const SPEC = {
  color: text,
  size: { type: 'integer' },
  tags: { type: 'array', items: text },
  options: { type: 'object', additionalProperties: text },
};
const STATUS = { phase: text, place: text };

/** For servers that must be told. */
export const widgetDefinition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.conformance.usher.dev' },
  spec: {
    group: 'conformance.usher.dev',
    scope: 'Namespaced',
    names: { kind: 'Widget', plural: 'widgets', singular: 'widget' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        selectableFields: widgets.selectableFields?.map((jsonPath) => ({ jsonPath })),
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: { type: 'object', properties: SPEC },
              status: { type: 'object', properties: STATUS },
            },
          },
        },
      },
    ],
  },
};

/** What the definition's schema has against unknown fields. */
export function widgetFault({ spec, status = {} }: Widget): string | undefined {
  const unknown = [
    ...Object.keys(spec ?? {}).filter((name) => !Object.hasOwn(SPEC, name)),
    ...Object.keys(status).filter((name) => !Object.hasOwn(STATUS, name)),
  ];
  return unknown.length === 0 ? undefined : `unknown field "${unknown.join('", "')}"`;
}
