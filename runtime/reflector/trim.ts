// What of an object is kept. Objects are kept by the thousand, and anybody may hang a quarter of a megabyte on each.
import type { KubeObject } from '../kube/resource.ts';

/** Says which annotations are of use to the readers, by their names. */
export type KeepsAnnotation = (name: string) => boolean;

export const keepsAll: KeepsAnnotation = () => true;

/** Without the managed fields, which say who set what and are two thirds of it, and the annotations of no use. */
export function trimmed<T extends KubeObject>(object: T, keeps: KeepsAnnotation): T {
  const { annotations, ...metadata } = withoutManagedFields(object.metadata);
  const kept = Object.entries(annotations ?? {}).filter(([name]) => keeps(name));
  return { ...object, metadata: kept.length === 0 ? metadata : { ...metadata, annotations: Object.fromEntries(kept) } };
}

function withoutManagedFields(metadata: KubeObject['metadata']): KubeObject['metadata'] {
  if (!('managedFields' in metadata)) {
    return metadata;
  }
  const { managedFields: _, ...others } = metadata;
  return others;
}
