// Watches of the simulated API server. Every event is handed over by a promise, in the order of the writes, and to
// watchers in the order in which they began: the same writes are always seen in the same order.
import type { Clock } from '#runtime/clock/clock.ts';
import type { KubeError } from '../errors.ts';
import type { KubeObject } from '../resource.ts';
import type { WatchEvent } from '../store.ts';
import type { Change, Entry } from './database.ts';
import type { Selects } from './selectors.ts';

/** Left out, a part matches all. */
export interface WatchFilter {
  readonly user?: string;
  readonly kind?: string;
}

type Frame = { event: WatchEvent<KubeObject> } | { end: KubeError | undefined };

export interface WatcherOptions {
  readonly user: string;
  /** As in the objects: "VirtualMachine". */
  readonly kind: string;
  readonly selected: Selects;
  /** The version from which on events are wanted. It may lie in the future: until then there is silence. */
  readonly from: number;
  readonly timeoutSeconds: number;
  readonly signal: AbortSignal;
}

/** One open watch. */
class Watcher {
  readonly options: WatcherOptions;
  stalled = false;
  readonly #sent: Frame[] = [];
  /** What the network holds back. */
  readonly #held: Frame[] = [];
  #arrival = Promise.withResolvers<void>();

  constructor(options: WatcherOptions) {
    this.options = options;
  }

  push(frame: Frame): void {
    this.#held.push(frame);
    if (!this.stalled) {
      this.deliver();
    }
  }

  deliver(count = Number.POSITIVE_INFINITY): void {
    this.#sent.push(...this.#held.splice(0, count));
    this.wake();
  }

  wake(): void {
    this.#arrival.resolve();
    this.#arrival = Promise.withResolvers();
  }

  async *frames(): AsyncGenerator<WatchEvent<KubeObject>> {
    while (!this.options.signal.aborted) {
      const frame = this.#sent.shift();
      if (frame === undefined) {
        await this.#arrival.promise;
      } else if ('event' in frame) {
        yield frame.event;
      } else if (frame.end === undefined) {
        return;
      } else {
        throw frame.end;
      }
    }
  }
}

/** The watches that are open, and what tests may do to them. */
export class Watches {
  readonly #watchers = new Set<Watcher>();
  readonly #stalls = new Set<WatchFilter>();
  readonly #clock: Clock;
  readonly #revision: () => number;

  constructor(clock: Clock, revision: () => number) {
    this.#clock = clock;
    this.#revision = revision;
  }

  /** How many are open. */
  count(filter: WatchFilter = {}): number {
    return this.#matching(filter).length;
  }

  /** As a network gone silent: matching watches, later ones too, receive nothing more, not even their end. */
  stall(filter: WatchFilter = {}): void {
    this.#stalls.add(filter);
    this.#matching(filter).forEach((watcher) => {
      watcher.stalled = true;
    });
  }

  /** Lets the next `count` events (all by default) through to stalled watches. */
  deliver(filter: WatchFilter = {}, count?: number): void {
    this.#matching(filter).forEach((watcher) => watcher.deliver(count));
  }

  /** Ends all stalls; what was held back arrives. */
  resume(): void {
    this.#stalls.clear();
    this.#watchers.forEach((watcher) => {
      watcher.stalled = false;
      watcher.deliver();
    });
  }

  /** Ends matching watches, as a broken connection does with an error, as a server's time-out does without one. */
  cut(filter: WatchFilter = {}, error?: KubeError): void {
    this.#matching(filter).forEach((watcher) => watcher.push({ end: error }));
  }

  /** Tells matching watches how far they are. */
  bookmark(filter: WatchFilter = {}): void {
    this.#matching(filter).forEach((watcher) => this.#bookmarkTo(watcher));
  }

  /** Tells every watch of a change that has just been made. */
  announce(change: Change): void {
    this.#watchers.forEach((watcher) => announceTo(watcher, change));
  }

  /**
   * Begins with the changes made since the caller's version, and misses none from this call on, whenever the iteration
   * begins. Ends after its time, with a bookmark, or on its signal.
   */
  open(options: WatcherOptions, missed: readonly Change[]): AsyncGenerator<WatchEvent<KubeObject>> {
    const watcher = new Watcher(options);
    watcher.stalled = [...this.#stalls].some((filter) => matches(watcher, filter));
    missed.forEach((change) => announceTo(watcher, change));
    this.#watchers.add(watcher);
    return this.#framesOf(watcher);
  }

  async *#framesOf(watcher: Watcher): AsyncGenerator<WatchEvent<KubeObject>> {
    const { signal } = watcher.options;
    const closed = new AbortController();
    const wake = (): void => watcher.wake();
    signal.addEventListener('abort', wake, { once: true });
    this.#endInTime(watcher, closed.signal);
    try {
      yield* watcher.frames();
    } finally {
      this.#watchers.delete(watcher);
      signal.removeEventListener('abort', wake);
      closed.abort();
    }
  }

  #endInTime(watcher: Watcher, closed: AbortSignal): void {
    const end = (): void => {
      this.#bookmarkTo(watcher);
      watcher.push({ end: undefined });
    };
    this.#clock.sleep(watcher.options.timeoutSeconds * 1000, closed).then(end, () => undefined);
  }

  #bookmarkTo(watcher: Watcher): void {
    const revision = this.#revision();
    if (revision >= watcher.options.from) {
      watcher.push({ event: { type: 'BOOKMARK', resourceVersion: String(revision) } });
    }
  }

  #matching(filter: WatchFilter): Watcher[] {
    return [...this.#watchers].filter((watcher) => matches(watcher, filter));
  }
}

function matches({ options }: Watcher, { user, kind }: WatchFilter): boolean {
  return (user === undefined || user === options.user) && (kind === undefined || kind === options.kind);
}

function announceTo(watcher: Watcher, change: Change): void {
  const event = eventOf(change, watcher.options);
  if (event !== undefined && change.revision > watcher.options.from) {
    watcher.push({ event });
  }
}

/** A change as a selection sees it: what leaves it is DELETED, in its last selected state, at the change's version. */
function eventOf(change: Change, { kind, selected }: WatcherOptions): WatchEvent<KubeObject> | undefined {
  const before = seen(change.before, kind, selected);
  const after = seen(change.after, kind, selected);
  if (after !== undefined) {
    return { type: before === undefined ? 'ADDED' : 'MODIFIED', object: after };
  }
  if (before === undefined) {
    return undefined;
  }
  const metadata = { ...before.metadata, resourceVersion: String(change.revision) };
  return { type: 'DELETED', object: { ...before, metadata } };
}

function seen(entry: Entry | undefined, kind: string, selected: Selects): KubeObject | undefined {
  return entry !== undefined && entry.object.kind === kind && selected(entry.object) ? entry.object : undefined;
}
