// The rules of create, update and delete: what the API server completes, keeps or refuses.
import { isDeepStrictEqual } from 'node:util';
import { timestampOf } from '#runtime/clock/clock.ts';
import { KubeError } from '../errors.ts';
import { type KubeObject, keyText, type ObjectKey, type ObjectMetadata } from '../resource.ts';
import type { DeleteOptions } from '../store.ts';
import { admitted, type Model, type Request } from './admission.ts';
import type { Database, Entry } from './database.ts';
import { type FieldOwner, ownersAfterUpdate } from './field-owners.ts';

/** What the rules work on. */
export interface WriteContext {
  readonly database: Database;
  readonly model: Model;
  readonly key: ObjectKey;
  readonly request: Omit<Request, 'old'>;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly newUid: () => string;
}

export interface Written {
  readonly object: KubeObject;
  /** False where the write changed nothing and so was none. */
  readonly changed: boolean;
}

export function storedEntry({ database, model, key }: Pick<WriteContext, 'database' | 'model' | 'key'>): Entry {
  const entry = database.read(model.type.kind, keyText(key));
  if (entry === undefined) {
    throw new KubeError('NotFound', `${model.type.plural} "${keyText(key)}" not found`);
  }
  return entry;
}

/** `owners` are given by server-side apply; otherwise the writer owns all it sets. */
export function createObject(context: WriteContext, object: KubeObject, owners?: readonly FieldOwner[]): Written {
  const { database, model, key, request, now } = context;
  if (database.read(model.type.kind, keyText(key)) !== undefined) {
    throw new KubeError('AlreadyExists', `${model.type.plural} "${keyText(key)}" already exists`);
  }
  const { deletionTimestamp: _, ...given } = object.metadata;
  const metadata: ObjectMetadata = {
    ...given,
    uid: context.newUid(),
    creationTimestamp: timestampOf(now),
    ...(model.statusSubresource && { generation: 1 }),
  };
  const complete = admitted(model, { ...object, metadata }, { ...request, old: undefined });
  const entry = { object: complete, owners: owners ?? ownersAfterUpdate([], request.user, undefined, complete) };
  return { object: database.write(model.type.kind, keyText(key), entry).object, changed: true };
}

/** Stores the candidate in place of the entry, unless they are the same. */
export function updateObject(
  context: WriteContext,
  entry: Entry,
  candidate: KubeObject,
  owners?: readonly FieldOwner[],
): Written {
  const { database, model, key, request } = context;
  const old = entry.object;
  refuseOther(context, old, candidate);
  const metadata = { ...candidate.metadata, ...systemFields(old.metadata) };
  const object = withGeneration(admitted(model, { ...candidate, metadata }, { ...request, old }), old);
  refuseNewFinalizers(old, object);
  const nextOwners = owners ?? ownersAfterUpdate(entry.owners, request.user, old, object);
  if (isDeepStrictEqual(object, old) && (owners === undefined || isDeepStrictEqual(nextOwners, entry.owners))) {
    return { object: old, changed: false };
  }
  if (object.metadata.deletionTimestamp !== undefined && !hasFinalizers(object)) {
    database.remove(model.type.kind, keyText(key));
    return { object, changed: true };
  }
  return {
    object: database.write(model.type.kind, keyText(key), { object, owners: nextOwners }).object,
    changed: true,
  };
}

/** With finalizers the object is only marked; without, it is removed. Quiet when there is none. */
export function deleteObject(context: WriteContext, { preconditions = {} }: DeleteOptions): Written | undefined {
  const { database, model, key, request, now } = context;
  const entry = database.read(model.type.kind, keyText(key));
  if (entry === undefined) {
    return undefined;
  }
  const { object: old, owners } = entry;
  refuseOtherThan(context, old.metadata, preconditions);
  const refusal = model.validate?.(old, { ...request, old });
  if (refusal !== undefined) {
    throw refusal;
  }
  if (!hasFinalizers(old)) {
    database.remove(model.type.kind, keyText(key));
    return { object: old, changed: true };
  }
  if (old.metadata.deletionTimestamp !== undefined) {
    return { object: old, changed: false };
  }
  const marked = { ...old.metadata, deletionTimestamp: timestampOf(now), deletionGracePeriodSeconds: 0 };
  const metadata = { ...marked, ...(marked.generation !== undefined && { generation: marked.generation + 1 }) };
  return {
    object: database.write(model.type.kind, keyText(key), { object: { ...old, metadata }, owners }).object,
    changed: true,
  };
}

/** Names and versions that do not fit; a status write may get the rest wrong, as on the API server, which overlooks it. */
function refuseOther(context: WriteContext, old: KubeObject, candidate: KubeObject): void {
  const { metadata, apiVersion, kind } = candidate;
  const { name, namespace, uid, deletionTimestamp } = old.metadata;
  if (
    metadata?.name !== name ||
    metadata.namespace !== namespace ||
    apiVersion !== old.apiVersion ||
    kind !== old.kind
  ) {
    throw new KubeError('Invalid', 'apiVersion, kind, metadata.name and metadata.namespace cannot be changed');
  }
  if (!metadata.resourceVersion) {
    throw new KubeError('Invalid', 'metadata.resourceVersion cannot be removed: leave it out of the patch');
  }
  refuseOtherThan(context, old.metadata, { resourceVersion: metadata.resourceVersion });
  const fixed = context.request.subresource === undefined;
  if (fixed && ((metadata.uid ?? uid) !== uid || metadata.deletionTimestamp !== deletionTimestamp)) {
    throw new KubeError('Invalid', 'metadata.uid and metadata.deletionTimestamp cannot be changed');
  }
}

function refuseOtherThan(
  { model, key }: WriteContext,
  { uid, resourceVersion }: ObjectMetadata,
  asked: { uid?: string; resourceVersion?: string },
): void {
  const name = `${model.type.plural} "${keyText(key)}"`;
  if (asked.uid !== undefined && asked.uid !== uid) {
    throw new KubeError('Conflict', `${name}: the uid is ${uid}, not ${asked.uid}`);
  }
  if (asked.resourceVersion !== undefined && asked.resourceVersion !== resourceVersion) {
    throw new KubeError('Conflict', `${name} has been modified: read it again and decide again`);
  }
}

/** What no client can change. */
function systemFields(old: ObjectMetadata): Partial<ObjectMetadata> {
  const { uid, resourceVersion, generation, creationTimestamp, deletionTimestamp } = old;
  return {
    ...(uid !== undefined && { uid }),
    ...(resourceVersion !== undefined && { resourceVersion }),
    ...(generation !== undefined && { generation }),
    ...(creationTimestamp !== undefined && { creationTimestamp }),
    ...(deletionTimestamp !== undefined && { deletionTimestamp }),
  };
}

function withGeneration(object: KubeObject, old: KubeObject): KubeObject {
  const { generation } = old.metadata;
  if (generation === undefined || isDeepStrictEqual(counted(object), counted(old))) {
    return object;
  }
  return { ...object, metadata: { ...object.metadata, generation: generation + 1 } };
}

function counted(object: KubeObject): object {
  const { metadata: _, status: __, ...rest }: KubeObject & { status?: unknown } = object;
  return rest;
}

function hasFinalizers(object: KubeObject): boolean {
  return (object.metadata.finalizers ?? []).length > 0;
}

function refuseNewFinalizers(old: KubeObject, object: KubeObject): void {
  const known = old.metadata.finalizers ?? [];
  const added = (object.metadata.finalizers ?? []).filter((finalizer) => !known.includes(finalizer));
  if (old.metadata.deletionTimestamp !== undefined && added.length > 0) {
    throw new KubeError(
      'Invalid',
      `metadata.finalizers: ${added.join(', ')} cannot be added while it is being deleted`,
    );
  }
}
