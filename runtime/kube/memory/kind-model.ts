// What a simulated API server must be told of a kind before it serves it.
import type { KubeError } from '../errors.ts';
import type { KubeObject, ResourceType } from '../resource.ts';

export type WriteVerb = 'create' | 'mergePatch' | 'jsonPatch' | 'apply' | 'delete';

/** The write under admission. */
export interface AdmissionRequest<T extends KubeObject> {
  readonly user: string;
  readonly verb: WriteVerb;
  readonly subresource: 'status' | undefined;
  /** As the writer names itself; undefined where it does not. */
  readonly fieldManager: string | undefined;
  /** As it is stored; undefined when the object is being created. */
  readonly old: T | undefined;
}

/** Every hook is a pure function of its arguments. Left out, it lets everything pass as it is. */
export interface KindModel<T extends KubeObject> {
  readonly type: ResourceType<T>;
  /** Status is written through /status only, and metadata.generation counts the changes of all else but metadata. */
  readonly statusSubresource?: boolean;
  /** The object with the schema's defaults filled in. */
  defaults?(object: T): T;
  /** What the schema has against the object, unknown fields included: the write is refused as Invalid. */
  schemaFault?(object: T): string | undefined;
  /** As a mutating admission policy: what is stored instead. On a status write only its status counts. */
  mutate?(object: T, request: AdmissionRequest<T>): T;
  /** As a validating admission policy: why the write is refused. On delete the object is the stored one. */
  validate?(object: T, request: AdmissionRequest<T>): KubeError | undefined;
}
