// The store port over the simulated API server, as one user sees it.

import type { Clock } from '#runtime/clock/clock.ts';
import { isKubeError, KubeError } from '../errors.ts';
import { wireCopy } from '../json.ts';
import { checkKey, checkNew } from '../object-check.ts';
import { type KubeObject, keyOf, keyText, type ObjectKey, type ResourceType } from '../resource.ts';
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
import type { Model } from './admission.ts';
import type { Database, Entry } from './database.ts';
import type { Call, Fault, Faults } from './faults.ts';
import { applyFields } from './field-owners.ts';
import { jsonPatch } from './json-patch.ts';
import type { WriteVerb } from './kind-model.ts';
import { mergePatch } from './merge-patch.ts';
import { listPage } from './paging.ts';
import { selects } from './selectors.ts';
import type { Watches } from './watches.ts';
import type { WriteRecord } from './write-log.ts';
import { createObject, deleteObject, storedEntry, updateObject, type WriteContext, type Written } from './writes.ts';

/** Who may do what; undefined lets them. */
export type Access = (question: AccessQuestion) => string | undefined;

/** The server behind the store. */
export interface ServerParts {
  readonly clock: Clock;
  readonly database: Database;
  readonly watches: Watches;
  readonly faults: Faults;
  readonly writes: WriteRecord[];
  readonly access: Access;
  /** Throws NotFound for a kind that is not served. */
  modelOf(type: ResourceType<KubeObject>): Model;
  newUid(): string;
}

interface Write {
  readonly verb: WriteVerb;
  readonly type: ResourceType<KubeObject>;
  readonly key: ObjectKey;
  readonly options?: WriteOptions | undefined;
}

export class MemoryStore implements KubeStore {
  readonly #server: ServerParts;
  readonly #user: string;

  constructor(server: ServerParts, user: string) {
    this.#server = server;
    this.#user = user;
  }

  get<T extends KubeObject>(type: ResourceType<T>, key: ObjectKey, signal?: AbortSignal): Promise<T> {
    const call: Call = { verb: 'get', kind: type.kind, key: keyText(key), user: this.#user };
    return this.#perform(call, signal, () => {
      checkKey(type, key);
      const { database } = this.#server;
      return storedEntry({ database, model: this.#server.modelOf(type), key }).object as T;
    });
  }

  list<T extends KubeObject>(type: ResourceType<T>, options: ListOptions = {}): Promise<ListPage<T>> {
    const call: Call = { verb: 'list', kind: type.kind, user: this.#user };
    return this.#perform(
      call,
      options.signal,
      () => listPage(this.#server.database, this.#server.modelOf(type), options) as ListPage<T>,
    );
  }

  async *watch<T extends KubeObject>(type: ResourceType<T>, options: WatchOptions): AsyncGenerator<WatchEvent<T>> {
    const call: Call = { verb: 'watch', kind: type.kind, user: this.#user };
    const { signal, resourceVersion, timeoutSeconds } = options;
    const events = await this.#perform(call, signal, () => {
      const selected = selects(this.#server.modelOf(type).type, options);
      const from = Number(resourceVersion);
      const missed = this.#server.database.changesAfter(from);
      const watcher = { user: this.#user, kind: type.kind, selected, from, timeoutSeconds, signal };
      return this.#server.watches.open(watcher, missed);
    }).catch((error) => {
      if (signal.aborted) {
        return undefined;
      }
      throw error;
    });
    if (events !== undefined) {
      yield* events as AsyncGenerator<WatchEvent<T>>;
    }
  }

  create<T extends KubeObject>(type: ResourceType<T>, object: NewObject<T>, signal?: AbortSignal): Promise<T> {
    const write: Write = {
      verb: 'create',
      type,
      key: keyOf(object as unknown as KubeObject),
      options: { ...(signal && { signal }) },
    };
    return this.#write<T>(write, (context) => {
      const candidate = complete(type, object);
      checkNew(candidate);
      return createObject(context, candidate);
    });
  }

  mergePatch<T extends KubeObject>(
    type: ResourceType<T>,
    key: ObjectKey,
    patch: object,
    options?: WriteOptions,
  ): Promise<T> {
    const copy = wireCopy(patch);
    return this.#write<T>({ verb: 'mergePatch', type, key, options }, (context) =>
      this.#patch(context, (object) => mergePatch(object, copy)),
    );
  }

  jsonPatch<T extends KubeObject>(
    type: ResourceType<T>,
    key: ObjectKey,
    patch: readonly JsonPatchOperation[],
    options?: WriteOptions,
  ): Promise<T> {
    return this.#write<T>({ verb: 'jsonPatch', type, key, options }, (context) =>
      this.#patch(context, (object) => jsonPatch(object, patch)),
    );
  }

  apply<T extends KubeObject>(type: ResourceType<T>, object: NewObject<T>, options: ApplyOptions): Promise<T> {
    return this.#write<T>({ verb: 'apply', type, key: keyOf(object as unknown as KubeObject), options }, (context) =>
      applyObject(context, complete(type, object), options),
    );
  }

  async delete<T extends KubeObject>(
    type: ResourceType<T>,
    key: ObjectKey,
    options: DeleteOptions = {},
  ): Promise<void> {
    await this.#write({ verb: 'delete', type, key, options }, (context) => deleteObject(context, options));
  }

  mayDo(question: AccessQuestion, signal?: AbortSignal): Promise<AccessAnswer> {
    const call: Call = { verb: 'mayDo', kind: question.type.kind, user: this.#user };
    return this.#perform(call, signal, () => {
      const reason = this.#server.access(question);
      return { allowed: reason === undefined, reason: reason ?? '' };
    });
  }

  #patch(context: WriteContext, change: (object: KubeObject) => unknown): Written {
    const entry = storedEntry(context);
    return updateObject(context, entry, wireCopy(change(entry.object)) as KubeObject);
  }

  #write<T extends KubeObject>(write: Write, work: (context: WriteContext) => Written | undefined): Promise<T> {
    const { verb, type, key, options: { subresource, signal } = {} } = write;
    const call = { verb, kind: type.kind, key: keyText(key), user: this.#user, ...(subresource && { subresource }) };
    return this.#perform(call, signal, () => {
      try {
        const written = work(this.#contextOf(write));
        this.#server.writes.push({ ...call, outcome: written?.changed ? 'written' : 'unchanged' });
        return written?.object as T;
      } catch (error) {
        this.#server.writes.push({ ...call, outcome: isKubeError(error) ? error.reason : 'Internal' });
        throw error;
      }
    });
  }

  #contextOf({ verb, type, key, options }: Write): WriteContext {
    const { database, clock } = this.#server;
    const { subresource, fieldManager } = options ?? {};
    const request = { user: this.#user, verb, subresource, fieldManager };
    const model = this.#server.modelOf(type);
    checkKey(type, key);
    if (subresource === 'status' && !model.statusSubresource) {
      throw new KubeError('NotFound', `${type.kind} has no status subresource`);
    }
    return { database, model, key, request, now: clock.now(), newUid: () => this.#server.newUid() };
  }

  /** The work is done at once where no fault delays it; only its answer takes a promise. */
  async #perform<R>(call: Call, signal: AbortSignal | undefined, work: () => R): Promise<R> {
    refuseAborted(signal);
    const fault = this.#server.faults.take(call);
    await this.#delay(fault.requestDelay, signal);
    if (fault.refuse !== undefined) {
      throw fault.refuse;
    }
    const result = attempt(work);
    await this.#delay(fault.answerDelay, signal);
    if (fault.loseAnswer !== undefined) {
      throw fault.loseAnswer;
    }
    return result();
  }

  async #delay(milliseconds: Fault['requestDelay'], signal: AbortSignal | undefined): Promise<void> {
    if (milliseconds === undefined) {
      return;
    }
    await this.#server.clock.sleep(milliseconds(), signal).catch(() => refuseAborted(signal));
  }
}

function applyObject(context: WriteContext, applied: KubeObject, options: ApplyOptions): Written {
  const { database, model, key } = context;
  const entry = database.read(model.type.kind, keyText(key));
  const base: Entry = entry ?? { object: withoutFields(applied), owners: [] };
  const { object, owners } = applyFields(base, specOf(context, applied), options);
  if (entry === undefined) {
    return createObject(context, object, owners);
  }
  const { uid, resourceVersion } = applied.metadata;
  const asked = { ...(uid !== undefined && { uid }), ...(resourceVersion !== undefined && { resourceVersion }) };
  return updateObject(context, entry, { ...object, metadata: { ...object.metadata, ...asked } }, owners);
}

function withoutFields({ apiVersion, kind, metadata: { name, namespace } }: KubeObject): KubeObject {
  return { apiVersion, kind, metadata: { name, ...(namespace !== undefined && { namespace }) } };
}

function specOf({ model }: WriteContext, applied: KubeObject): KubeObject {
  const { status: _, ...rest }: KubeObject & { status?: unknown } = applied;
  return model.statusSubresource ? rest : applied;
}

function complete<T extends KubeObject>(type: ResourceType<T>, object: NewObject<T>): KubeObject {
  return wireCopy({ ...(object as unknown as KubeObject), apiVersion: type.apiVersion, kind: type.kind });
}

function refuseAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) {
    throw new KubeError('Unreachable', 'the caller gave up waiting', { cause: signal.reason });
  }
}

/** Does the work now and tells its outcome later. */
function attempt<R>(work: () => R): () => R {
  try {
    const result = work();
    return () => result;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}
