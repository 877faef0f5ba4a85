// Where on the API server something is.
import { checkKey } from '../object-check.ts';
import type { KubeObject, ObjectKey, ResourceType } from '../resource.ts';

type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** All of a kind, or all of it in a namespace. */
export function collectionPath(
  type: ResourceType<KubeObject>,
  namespace: string | undefined,
  query: Query = {},
): string {
  const group = type.apiVersion.includes('/') ? `/apis/${type.apiVersion}` : `/api/${type.apiVersion}`;
  const scope = type.namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${group}${scope}/${type.plural}${queryText(query)}`;
}

/** Throws Invalid for a key that does not name one object. */
export function objectPath(
  type: ResourceType<KubeObject>,
  key: ObjectKey,
  { subresource, ...query }: Query & { subresource?: string | undefined } = {},
): string {
  checkKey(type, key);
  const tail = subresource === undefined ? '' : `/${subresource}`;
  return `${collectionPath(type, key.namespace)}/${encodeURIComponent(key.name)}${tail}${queryText(query)}`;
}

function queryText(query: Query): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') {
      given.append(name, String(value));
    }
  }
  return given.size === 0 ? '' : `?${given.toString()}`;
}
