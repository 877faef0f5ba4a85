// The port through which everything here talks to Kubernetes. Two implementations: the API server, and a model in
// memory for fast and deterministic tests. One conformance suite passes on both.
import type { KubeObject, ObjectKey, ResourceType } from './resource.ts';

export interface ListOptions {
  namespace?: string;
  labelSelector?: string;
  /** `path=value` terms joined by commas; paths must be selectable for the kind. */
  fieldSelector?: string;
  limit?: number;
  continue?: string;
  /** '0' allows an answer from the watch cache; left out, the answer is the latest. */
  resourceVersion?: string;
  signal?: AbortSignal;
}

export interface ListPage<T> {
  items: T[];
  /** Where a watch that misses nothing starts. */
  resourceVersion: string;
  /** Set when there is more. */
  continue?: string;
}

export interface WatchOptions {
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  resourceVersion: string;
  /** The server ends the watch after this long. */
  timeoutSeconds: number;
  signal: AbortSignal;
}

/**
 * With a selector, DELETED also means "no longer selected"; the object then comes in its last selected state, so it
 * proves nothing about the object itself. BOOKMARK carries no object but its resourceVersion.
 */
export type WatchEvent<T> =
  | { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: T }
  | { type: 'BOOKMARK'; resourceVersion: string };

export interface WriteOptions {
  /** 'status' writes through /status. */
  subresource?: 'status';
  /** Who is shown to have written the fields; the name of the program unless given. */
  fieldManager?: string;
  signal?: AbortSignal;
}

export interface ApplyOptions {
  fieldManager: string;
  force?: boolean;
  signal?: AbortSignal;
}

export interface DeleteOptions {
  preconditions?: { uid?: string; resourceVersion?: string };
  signal?: AbortSignal;
}

export type JsonPatchOperation =
  | { op: 'add' | 'replace' | 'test'; path: string; value: unknown }
  | { op: 'remove'; path: string };

/** What somebody wants to do to objects of a kind: to one of them, or to all in a namespace where none is named. */
export interface AccessQuestion {
  readonly user: string;
  readonly groups: readonly string[];
  readonly verb: string;
  readonly type: ResourceType<KubeObject>;
  readonly namespace?: string;
  readonly name?: string;
}

export interface AccessAnswer {
  readonly allowed: boolean;
  /** In the words of whoever decided; may be empty. */
  readonly reason: string;
}

/**
 * Every method rejects with a `KubeError` and with nothing else. Objects handed out may be kept but not changed.
 */
export interface KubeStore {
  /** The latest state, never from a cache. Rejects with NotFound. */
  get<T extends KubeObject>(type: ResourceType<T>, key: ObjectKey, signal?: AbortSignal): Promise<T>;

  /** One page. Rejects with Gone when `continue` has expired: begin again. */
  list<T extends KubeObject>(type: ResourceType<T>, options?: ListOptions): Promise<ListPage<T>>;

  /**
   * Events after `resourceVersion`, in order, each once. The iteration ends when the server ends the watch or the
   * signal aborts, and throws Gone when `resourceVersion` is too old.
   */
  watch<T extends KubeObject>(type: ResourceType<T>, options: WatchOptions): AsyncIterable<WatchEvent<T>>;

  /** Rejects with AlreadyExists. Unknown fields are refused as Invalid. */
  create<T extends KubeObject>(type: ResourceType<T>, object: NewObject<T>, signal?: AbortSignal): Promise<T>;

  /**
   * RFC 7386. Where the patch carries metadata.resourceVersion, rejects with Conflict unless it is the current one.
   * A patch that changes nothing writes nothing.
   */
  mergePatch<T extends KubeObject>(
    type: ResourceType<T>,
    key: ObjectKey,
    patch: object,
    options?: WriteOptions,
  ): Promise<T>;

  /** RFC 6902. Rejects with Invalid when a `test` fails. */
  jsonPatch<T extends KubeObject>(
    type: ResourceType<T>,
    key: ObjectKey,
    patch: readonly JsonPatchOperation[],
    options?: WriteOptions,
  ): Promise<T>;

  /** Server-side apply of a spec. Rejects with Conflict, naming the manager, where another owns a field and not `force`. */
  apply<T extends KubeObject>(type: ResourceType<T>, object: NewObject<T>, options: ApplyOptions): Promise<T>;

  /** Quiet when the object is gone already. With finalizers the object stays, marked with a deletionTimestamp. */
  delete<T extends KubeObject>(type: ResourceType<T>, key: ObjectKey, options?: DeleteOptions): Promise<void>;

  /** Whether somebody else may do this, as the server's authorizers say now. Nothing is done. */
  mayDo(question: AccessQuestion, signal?: AbortSignal): Promise<AccessAnswer>;
}

/** An object that the server has not yet completed. */
export type NewObject<T extends KubeObject> = Omit<T, 'metadata'> & {
  metadata: Partial<T['metadata']> & { name: string };
};
