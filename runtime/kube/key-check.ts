// What a key must be before anything is asked under it.
import { KubeError } from './errors.ts';
import type { KubeObject, ObjectKey, ResourceType } from './resource.ts';

/**
 * Throws Invalid where the name is empty, or where a namespace is missing or too much. An incomplete key would address
 * a whole collection: the deletion of one object would be the deletion of all.
 */
export function checkKey({ kind, namespaced }: ResourceType<KubeObject>, { namespace, name }: ObjectKey): void {
  if (name === '') {
    throw new KubeError('Invalid', `metadata.name of a ${kind} is empty: name one`);
  }
  if (namespaced !== (namespace !== undefined && namespace !== '')) {
    const fault = namespaced ? 'is missing: name one' : 'is set, but the kind has none: leave it out';
    throw new KubeError('Invalid', `metadata.namespace of ${kind} "${name}" ${fault}`);
  }
}
