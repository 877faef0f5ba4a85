// What a store needs to know of a kind, and what every object has. Nothing here knows virtual machines.

export interface ObjectMetadata {
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
}

export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMetadata;
}

/** Where a kind is served. `T` ties the descriptor to the type of its objects. */
export interface ResourceType<T extends KubeObject> {
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  /** JSON paths a field selector may use besides metadata.name and metadata.namespace. */
  readonly selectableFields?: readonly string[];
  /** Never set: carries `T` for the compiler. */
  readonly objectType?: T;
}

export interface ObjectKey {
  readonly namespace?: string;
  readonly name: string;
}

/** "namespace/name", or "name" for a cluster-scoped object: the key of caches and queues. */
export function keyText(key: ObjectKey): string {
  return key.namespace === undefined ? key.name : `${key.namespace}/${key.name}`;
}

/** Where the store finds the object. */
export function keyOf(object: KubeObject): ObjectKey {
  const { namespace, name } = object.metadata;
  return namespace === undefined ? { name } : { namespace, name };
}
