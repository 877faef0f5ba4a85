// What must be right before anything is asked of a server.
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

/** Throws Invalid where an object to be created is one that was read: the API server answers that with its own fault. */
export function checkNew(object: KubeObject): void {
  if (object.metadata.resourceVersion !== undefined) {
    throw new KubeError('Invalid', 'metadata.resourceVersion must not be set on an object to be created: leave it out');
  }
}
