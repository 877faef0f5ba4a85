// Status is written as the difference between two statuses, and only against the very object the decision was made on.
import { type Fields, isFields } from '../kube/json.ts';
import { type KubeObject, keyOf, type ResourceType } from '../kube/resource.ts';
import type { KubeStore } from '../kube/store.ts';

export interface WithStatus extends KubeObject {
  status?: object;
}

export type StatusOf<T extends WithStatus> = NonNullable<T['status']>;

export interface StatusPatch {
  metadata: { resourceVersion: string };
  status: Record<string, unknown>;
}

export interface StatusWrite<T extends WithStatus> {
  /** As it was read before anything was decided. */
  observed: T;
  /** The whole next status, not a part of it. */
  next: StatusOf<T>;
  signal?: AbortSignal;
}

/**
 * The JSON merge patch (RFC 7386) that turns the observed status into `next`, refused by the server when the object
 * has changed since; undefined when there is nothing to write. Fields that `next` lacks, or holds as undefined or
 * null, are removed; lists are replaced whole. No status and an empty one are the same.
 */
export function statusPatch<T extends WithStatus>(observed: T, next: StatusOf<T>): StatusPatch | undefined {
  const { resourceVersion, name } = observed.metadata;
  if (resourceVersion === undefined) {
    throw new TypeError(
      `${observed.kind} ${name} has no metadata.resourceVersion: pass the object as the store gave it`,
    );
  }
  const status = objectDifference({ ...observed.status }, { ...next });
  return Object.keys(status).length === 0 ? undefined : { metadata: { resourceVersion }, status };
}

/**
 * Writes what changed, and nothing when nothing did. Resolves to the object as it is then. Rejects as
 * `KubeStore.mergePatch` does: with Conflict when the object has changed since it was observed.
 */
export async function writeStatus<T extends WithStatus>(
  store: KubeStore,
  type: ResourceType<T>,
  { observed, next, signal }: StatusWrite<T>,
): Promise<T> {
  const patch = statusPatch(observed, next);
  if (patch === undefined) {
    return observed;
  }
  return store.mergePatch(type, keyOf(observed), patch, { subresource: 'status', ...(signal && { signal }) });
}

function objectDifference(from: Fields, to: Fields): Fields {
  const names = new Set([...Object.keys(from), ...Object.keys(to)]);
  const changes = [...names].map((name) => [name, difference(present(from, name), present(to, name))] as const);
  return Object.fromEntries(changes.filter(([, change]) => change !== undefined));
}

/** What a merge patch says of one field; undefined when it need not be mentioned. */
function difference(from: unknown, to: unknown): unknown {
  if (to === undefined) {
    return from === undefined ? undefined : null;
  }
  if (!isFields(to)) {
    return sameJson(from, to) ? undefined : to;
  }
  const fields = objectDifference(isFields(from) ? from : {}, to);
  return isFields(from) && Object.keys(fields).length === 0 ? undefined : fields;
}

/** Equal as JSON, where an undefined field is an absent one. */
function sameJson(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => sameJson(item, b[index]));
  }
  if (isFields(a) && isFields(b)) {
    const names = [...new Set([...Object.keys(a), ...Object.keys(b)])];
    return names.every((name) => sameJson(own(a, name), own(b, name)));
  }
  return a === b;
}

/** A merge patch cannot tell null from absent, so neither does this. */
function present(fields: Fields, name: string): unknown {
  return own(fields, name) ?? undefined;
}

function own(fields: Fields, name: string): unknown {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}
