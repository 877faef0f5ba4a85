// The store port over a real API server.
import { isKubeError, KubeError } from '../errors.ts';
import { checkKey, checkNew } from '../object-check.ts';
import { type KubeObject, keyOf, type ObjectKey, type ResourceType } from '../resource.ts';
import type {
  AccessAnswer,
  AccessQuestion,
  ApplyOptions,
  DeleteOptions,
  JsonPatchOperation,
  KubeStore,
  ListOptions,
  ListPage,
  NewObject,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from '../store.ts';
import type { Connection } from './connection.ts';
import { errorOfFailure } from './errors.ts';
import { collectionPath, objectPath } from './paths.ts';
import { watchEvents } from './watch-stream.ts';

/** Unknown and duplicate fields are refused, not dropped. */
const STRICT = { fieldValidation: 'Strict' };

export class ApiServerStore implements KubeStore {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async get<T extends KubeObject>(type: ResourceType<T>, key: ObjectKey, signal?: AbortSignal): Promise<T> {
    return (await this.#connection.request({ method: 'GET', path: objectPath(type, key), signal })) as T;
  }

  async list<T extends KubeObject>(type: ResourceType<T>, options: ListOptions = {}): Promise<ListPage<T>> {
    const { namespace, signal, ...query } = options;
    const path = collectionPath(type, namespace, query);
    return pageOf(type, await this.#connection.request({ method: 'GET', path, signal }));
  }

  async *watch<T extends KubeObject>(type: ResourceType<T>, options: WatchOptions): AsyncGenerator<WatchEvent<T>> {
    const { namespace, signal, ...query } = options;
    const path = collectionPath(type, namespace, { ...query, watch: true, allowWatchBookmarks: true });
    try {
      yield* watchEvents<T>(await this.#connection.stream(path, signal));
    } catch (error) {
      if (!signal.aborted) {
        throw errorOfFailure(error, signal);
      }
    }
  }

  async create<T extends KubeObject>(type: ResourceType<T>, object: NewObject<T>, signal?: AbortSignal): Promise<T> {
    const body = complete(type, object);
    checkKey(type, keyOf(body));
    checkNew(body);
    const path = collectionPath(type, body.metadata.namespace, STRICT);
    return (await this.#connection.request({ method: 'POST', path, body, signal })) as T;
  }

  mergePatch<T extends KubeObject>(
    type: ResourceType<T>,
    key: ObjectKey,
    patch: object,
    options: WriteOptions = {},
  ): Promise<T> {
    return this.#patch(type, key, { ...options, patch, contentType: 'application/merge-patch+json' });
  }

  jsonPatch<T extends KubeObject>(
    type: ResourceType<T>,
    key: ObjectKey,
    patch: readonly JsonPatchOperation[],
    options: WriteOptions = {},
  ): Promise<T> {
    return this.#patch(type, key, { ...options, patch, contentType: 'application/json-patch+json' });
  }

  async apply<T extends KubeObject>(type: ResourceType<T>, object: NewObject<T>, options: ApplyOptions): Promise<T> {
    const { signal, ...query } = options;
    const body = complete(type, object);
    const path = objectPath(type, keyOf(body), { ...query, ...STRICT });
    const contentType = 'application/apply-patch+yaml';
    try {
      return (await this.#connection.request({ method: 'PATCH', path, body, contentType, signal })) as T;
    } catch (error) {
      throw isUntypable(error) ? new KubeError('Invalid', error.message, { cause: error }) : error;
    }
  }

  async delete<T extends KubeObject>(
    type: ResourceType<T>,
    key: ObjectKey,
    options: DeleteOptions = {},
  ): Promise<void> {
    const { signal, preconditions } = options;
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', ...(preconditions && { preconditions }) };
    try {
      await this.#connection.request({ method: 'DELETE', path: objectPath(type, key), body, signal });
    } catch (error) {
      if (!isKubeError(error, 'NotFound')) {
        throw error;
      }
    }
  }

  async mayDo(question: AccessQuestion, signal?: AbortSignal): Promise<AccessAnswer> {
    const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
    const answer = await this.#connection.request({ method: 'POST', path, body: reviewOf(question), signal });
    const { status } = answer as { status?: { allowed?: boolean; reason?: string } };
    return { allowed: status?.allowed === true, reason: status?.reason ?? '' };
  }

  async #patch<T extends KubeObject>(
    type: ResourceType<T>,
    key: ObjectKey,
    { patch, contentType, subresource, fieldManager, signal }: WriteOptions & { patch: object; contentType: string },
  ): Promise<T> {
    const path = objectPath(type, key, { subresource, ...(fieldManager && { fieldManager }), ...STRICT });
    return (await this.#connection.request({ method: 'PATCH', path, body: patch, contentType, signal })) as T;
  }
}

function reviewOf({ user, groups, verb, type, namespace, name }: AccessQuestion): object {
  const [group, version] = type.apiVersion.includes('/') ? type.apiVersion.split('/') : ['', type.apiVersion];
  const resourceAttributes = { verb, group, version, resource: type.plural, namespace, name };
  return {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: { user, groups, resourceAttributes },
  };
}

/** The API server calls an unknown field in server-side apply its own fault (500), which it is not. */
function isUntypable(error: unknown): error is KubeError {
  return isKubeError(error, 'Internal') && error.message.startsWith('failed to create typed patch object');
}

interface RawList {
  metadata?: { resourceVersion?: string; continue?: string };
  items?: unknown[];
}

/** Items of a list do not say what they are where the kind is built in, so it is said here. */
function pageOf<T extends KubeObject>({ apiVersion, kind }: ResourceType<T>, answer: unknown): ListPage<T> {
  const { metadata, items = [] } = answer as RawList;
  if (metadata?.resourceVersion === undefined) {
    throw new KubeError('Internal', 'the API server answered a list without a resourceVersion');
  }
  return {
    items: items.map((item) => ({ apiVersion, kind, ...(item as Partial<T>) }) as T),
    resourceVersion: metadata.resourceVersion,
    ...(metadata.continue && { continue: metadata.continue }),
  };
}

function complete<T extends KubeObject>({ apiVersion, kind }: ResourceType<T>, object: NewObject<T>): KubeObject {
  return { ...(object as unknown as KubeObject), apiVersion, kind };
}
