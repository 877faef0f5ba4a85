// Keeps a cache of one kind at the state of the API server and tells of every change: list, watch, and again whenever
// something breaks.
import type { Clock, Random } from '../clock/clock.ts';
import { withDeadline } from '../clock/deadline.ts';
import { pause } from '../clock/signals.ts';
import { isKubeError, KubeError, type KubeErrorReason } from '../kube/errors.ts';
import { inWords } from '../kube/explain.ts';
import { type KubeObject, keyOf, keyText, type ResourceType } from '../kube/resource.ts';
import { compareResourceVersions } from '../kube/resource-version.ts';
import type { KubeStore, WatchEvent } from '../kube/store.ts';
import type { Logger } from '../process/log.ts';
import { type ObjectChange, seeAbsent, seeAll, seePresent } from './changes.ts';
import { type ChangeHandler, ChangeHandlers } from './handlers.ts';
import { listAll, type ObjectSelection } from './list.ts';
import { type IndexFunction, ObjectCache, type ObjectReader } from './object-cache.ts';
import { RetryPace } from './retry.ts';
import { type KeepsAnnotation, keepsAll, trimmed } from './trim.ts';

/** Why everything is read again: the start, a version too old, a server out of order, or long since the last time. */
export type ListCause = 'start' | 'gone' | 'disorder' | 'periodic';

/** Told what happens, for metrics. */
export interface ReflectorObserver {
  listed?(cause: ListCause, objects: number, milliseconds: number): void;
  eventReceived?(type: WatchEvent<unknown>['type']): void;
  /** A list or a watch failed; it will be tried again. `words` say why, and what to do. */
  failed?(reason: KubeErrorReason, words: string): void;
  /** After a failure the API server answered again. Where everything is read again it is told as `listed`. */
  recovered?(): void;
  /** A watch fell silent and was cut. */
  watchDied?(): void;
}

export interface ReflectorOptions<T extends KubeObject, Index extends string = never> {
  readonly store: KubeStore;
  readonly type: ResourceType<T>;
  readonly selection?: ObjectSelection;
  readonly indexes?: Record<Index, IndexFunction<T>>;
  /** Which annotations are kept; all of them where this is left out. */
  readonly keepsAnnotation?: KeepsAnnotation;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly observer?: ReflectorObserver;
}

/**
 * A watch is asked to end after this long, and then begun anew on the same connection. The end is the proof of life:
 * on a quiet kind nothing else is sure to arrive within a minute (the API server's bookmarks come once in one), and
 * nothing but the stream itself shows that the stream still lives: a probe takes another connection, and a proxy
 * answers TCP's keep-alive for a server that it has lost. Measured: a watch that ends by itself and begins again costs
 * the API server 0.7 ms of CPU, so 1,000 quiet watchers take 26 ms a second; cutting it costs 1.7 ms, for the new
 * connection.
 */
const WATCH_SECONDS = { least: 24, most: 30 };

/** What a watch may take beyond its time before it counts as dead: with the above, 35 seconds at most. */
const DEAD_WATCH_MARGIN_SECONDS = 5;

/** A watch that ends sooner, and brought nothing, was refused in all but words. */
const SHORTEST_WATCH_MS = 1000;

/** Every so often all is read again, in case that a server lost an event or went back in time without a word. */
const RELIST_MS = { least: 2_700_000, most: 3_600_000 };

export class Reflector<T extends KubeObject, Index extends string = never> {
  readonly #options: ReflectorOptions<T, Index>;
  readonly #cache: ObjectCache<T, Index>;
  readonly #handlers: ChangeHandlers<T>;
  readonly #logger: Logger;
  readonly #pace: RetryPace;
  readonly #firstSync = Promise.withResolvers<void>();
  #synced = false;
  #position: string | undefined;
  /** Set while everything must be read again. */
  #relist: ListCause | undefined = 'start';
  #relistAt = 0;
  /** The last watch did not end as it should. */
  #doubtful = false;

  constructor(options: ReflectorOptions<T, Index>) {
    this.#options = options;
    this.#cache = new ObjectCache(options.indexes);
    this.#logger = options.logger.child({ reflector: options.type.kind });
    this.#handlers = new ChangeHandlers(this.#logger);
    this.#pace = new RetryPace(options.random);
  }

  /** What is known. Empty, and so no proof of anything, until synced. */
  get cache(): ObjectReader<T, Index> {
    return this.#cache;
  }

  /** Up to where changes are known; undefined until synced. It goes back where the API server does (a restored backup). */
  get resourceVersion(): string | undefined {
    return this.#position;
  }

  /** Everything known already is told to the handler at once, as added. */
  onChange(handler: ChangeHandler<T>): void {
    this.#handlers.add(handler, this.#cache.list());
  }

  /** The first list has been read completely, and its changes told. */
  hasSynced(): boolean {
    return this.#synced;
  }

  /** Resolves once `hasSynced`. Rejects with the signal's reason. */
  async synced(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const aborted = Promise.withResolvers<never>();
    const onAbort = (): void => aborted.reject(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      await Promise.race([this.#firstSync.promise, aborted.promise]);
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Resolves when the signal aborts, and never rejects. To be called once. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#doubt(signal);
        await this.#listWhereNeeded(signal);
        await this.#watch(signal);
      } catch (error) {
        await this.#waitAfter(error, signal);
      }
    }
  }

  /**
   * A server that has gone back in time (a restored backup) says nothing on a watch from its future. It cannot do so
   * without breaking the watch, so after every break it is asked for its present version.
   */
  async #doubt(signal: AbortSignal): Promise<void> {
    const { store, type, selection = {} } = this.#options;
    if (!this.#doubtful || this.#position === undefined || this.#relist !== undefined) {
      return;
    }
    const { resourceVersion } = await store.list(type, { ...selection, limit: 1, signal });
    if (compareResourceVersions(resourceVersion, this.#position) < 0) {
      this.#logger.warn('the API server went back in time', { from: this.#position, to: resourceVersion });
      this.#relist = 'disorder';
    }
    this.#doubtful = false;
    this.#options.observer?.recovered?.();
  }

  async #listWhereNeeded(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const begun = clock.monotonic();
    const cause = this.#relist ?? (begun < this.#relistAt ? undefined : 'periodic');
    if (cause === undefined) {
      return;
    }
    const objects = await this.#list(signal);
    this.#relist = undefined;
    this.#relistAt = begun + between(RELIST_MS, this.#options.random);
    this.#synced = true;
    this.#firstSync.resolve();
    const milliseconds = clock.monotonic() - begun;
    this.#options.observer?.listed?.(cause, objects, milliseconds);
    this.#logger.info('listed', { cause, objects, milliseconds });
  }

  async #list(signal: AbortSignal): Promise<number> {
    const { store, type, selection = {}, keepsAnnotation = keepsAll } = this.#options;
    const { objects, resourceVersion } = await listAll({ store, type, selection, keepsAnnotation }, signal);
    this.#tell(seeAll(this.#cache, objects));
    this.#position = resourceVersion;
    return objects.length;
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { clock, random, observer } = this.#options;
    const begun = clock.monotonic();
    const timeoutSeconds = Math.round(between(WATCH_SECONDS, random));
    const milliseconds = (timeoutSeconds + DEAD_WATCH_MARGIN_SECONDS) * 1000;
    const { cut, events } = await withDeadline({ clock, milliseconds, signal }, async (limited) => {
      const events = await this.#observeAll(timeoutSeconds, limited);
      return { cut: limited.aborted, events };
    });
    if (cut && !signal.aborted) {
      observer?.watchDied?.();
      throw new KubeError('Timeout', `the watch fell silent: it did not end after its ${timeoutSeconds} s`);
    }
    const lasted = clock.monotonic() - begun;
    if (!cut && events === 0 && lasted < SHORTEST_WATCH_MS) {
      throw new KubeError('Internal', 'the watch ended as soon as it began');
    }
    this.#pace.succeeded();
    this.#doubtful = lasted < timeoutSeconds * 1000 - SHORTEST_WATCH_MS;
  }

  async #observeAll(timeoutSeconds: number, signal: AbortSignal): Promise<number> {
    const { store, type, selection = {}, observer } = this.#options;
    const resourceVersion = this.#position ?? '';
    let events = 0;
    for await (const event of store.watch(type, { ...selection, resourceVersion, timeoutSeconds, signal })) {
      observer?.eventReceived?.(event.type);
      this.#observe(event);
      this.#pace.succeeded();
      events += 1;
    }
    return events;
  }

  #observe(event: WatchEvent<T>): void {
    const version = event.type === 'BOOKMARK' ? event.resourceVersion : (event.object.metadata.resourceVersion ?? '');
    const step = compareResourceVersions(version, this.#position ?? '');
    if (step < 0) {
      this.#relist = 'disorder';
      throw new KubeError('Gone', `the watch went back from version ${this.#position} to ${version}`);
    }
    if (event.type !== 'BOOKMARK' && step > 0) {
      const { type } = event;
      const object = trimmed(event.object, this.#options.keepsAnnotation ?? keepsAll);
      this.#tell(type === 'DELETED' ? seeAbsent(this.#cache, keyText(keyOf(object))) : seePresent(this.#cache, object));
    }
    this.#position = version;
  }

  #tell(changes: Iterable<ObjectChange<T>>): void {
    for (const change of changes) {
      this.#handlers.tell(change);
    }
  }

  async #waitAfter(error: unknown, signal: AbortSignal): Promise<void> {
    if (signal.aborted) {
      return;
    }
    const { clock, observer } = this.#options;
    this.#doubtful = true;
    if (isKubeError(error, 'Gone')) {
      this.#relist ??= 'gone';
    }
    const delay = this.#pace.failed(error);
    if (isKubeError(error)) observer?.failed?.(error.reason, inWords(error));
    else observer?.failed?.('Internal', String(error));
    this.#logger.warn('lost the API server’s changes; trying again', { error, failures: this.#pace.failures, delay });
    await pause(clock, delay, signal);
  }
}

function between({ least, most }: { least: number; most: number }, random: Random): number {
  return least + (most - least) * random();
}
