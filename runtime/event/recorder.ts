// Writes warnings as Events: few, the same one once with a count, and never at the cost of the work itself.
import type { Clock } from '../clock/clock.ts';
import { withHardDeadline } from '../clock/signals.ts';
import { isKubeError } from '../kube/errors.ts';
import { type KubeObject, keyOf } from '../kube/resource.ts';
import type { KubeStore } from '../kube/store.ts';
import type { Logger } from '../process/log.ts';
import { EVENTS, type Event, eventOf, type Reporter, type Warning, warningId } from './event.ts';

export interface EventRecorderOptions extends Reporter {
  store: KubeStore;
  clock: Clock;
  logger: Logger;
}

/** A warning that was told before, until so many others were. */
interface Told {
  readonly warning: Warning;
  /** Happened, but not yet in the written event. */
  unwritten: number;
  /** In the event that this process wrote; 0 when it has not. */
  written: number;
}

/** An object's allowance of writes. */
interface Allowance {
  left: number;
  at: number;
}

/** Of one object so many at once, and after that one in five minutes, much as kubelet and the others do. */
const BURST = 10;
const REFILL_MS = 300_000;
const MOST_REMEMBERED = 1000;
const MOST_WAITING = 100;
const WRITE_LIMIT_MS = 10_000;

export class EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #told = new Map<string, Told>();
  readonly #allowances = new Map<string, Allowance>();
  readonly #waiting = new Set<Told>();
  #writing: Promise<void> | undefined;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
  }

  /**
   * Tells of an object what `kubectl describe` then shows; `reason` is one CamelCase word. Returns at once, never
   * throws. The same said again is counted in the same event (the API server keeps it for an hour after its last
   * count). What is beyond an object's allowance is counted and written with the next one, or not at all.
   */
  warn(object: KubeObject, reason: string, message: string): void {
    const warning = { object: bareObject(object), reason, message };
    const id = warningId(warning, this.#options.component);
    const told = this.#told.get(id) ?? { warning, unwritten: 0, written: 0 };
    told.unwritten += 1;
    remember(this.#told, id, told);
    if (!this.#waiting.has(told) && this.#mayWrite(object) && this.#waiting.size < MOST_WAITING) {
      this.#waiting.add(told);
      this.#writing ??= this.#writeAll();
    }
  }

  /** Resolves when nothing waits to be written. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  #mayWrite({ metadata: { namespace, name, uid } }: KubeObject): boolean {
    const id = `${namespace}/${name}/${uid}`;
    const now = this.#options.clock.monotonic();
    const { left, at } = this.#allowances.get(id) ?? { left: BURST, at: now };
    const refilled = Math.min(BURST, left + (now - at) / REFILL_MS);
    const allowed = refilled >= 1;
    remember(this.#allowances, id, { left: allowed ? refilled - 1 : refilled, at: now });
    return allowed;
  }

  async #writeAll(): Promise<void> {
    // What is told in the same breath is counted before it is written.
    await Promise.resolve();
    for (const told of this.#waiting) {
      this.#waiting.delete(told);
      await this.#write(told);
    }
    this.#writing = undefined;
  }

  async #write(told: Told): Promise<void> {
    const { clock, logger } = this.#options;
    const count = told.unwritten;
    try {
      const limit = { clock, milliseconds: WRITE_LIMIT_MS };
      told.written = await withHardDeadline(limit, async (signal) => this.#send(told, count, signal));
      told.unwritten -= count;
    } catch (error) {
      const { kind, metadata } = told.warning.object;
      logger.debug('an event could not be written', { kind, name: metadata.name, reason: told.warning.reason, error });
    }
  }

  /** Resolves to the count that the event carries then. */
  async #send(told: Told, count: number, signal: AbortSignal): Promise<number> {
    const { store, clock } = this.#options;
    const event = eventOf(told.warning, this.#options, { count, now: clock.now() });
    try {
      if (told.written > 0) {
        return await this.#countUp(event, told.written, signal);
      }
      return (await store.create(EVENTS, event, signal)).count;
    } catch (error) {
      if (isKubeError(error, 'AlreadyExists')) {
        // Written by an earlier process. The answer to a patch tells its count, and takes no right to read events.
        const { lastTimestamp } = event;
        const before = await store.mergePatch(EVENTS, keyOf(event), { lastTimestamp }, { signal });
        return await this.#countUp(event, before.count, signal);
      }
      if (isKubeError(error, 'NotFound') && told.written > 0) {
        return (await store.create(EVENTS, event, signal)).count;
      }
      throw error;
    }
  }

  async #countUp(event: Event, before: number, signal: AbortSignal): Promise<number> {
    const patch = { count: before + event.count, lastTimestamp: event.lastTimestamp };
    return (await this.#options.store.mergePatch(EVENTS, keyOf(event), patch, { signal })).count;
  }
}

/** Enough to tell of it: what is remembered should not keep whole objects alive. */
function bareObject({ apiVersion, kind, metadata: { name, namespace, uid } }: KubeObject): KubeObject {
  return { apiVersion, kind, metadata: { name, ...(namespace && { namespace }), ...(uid && { uid }) } };
}

/** Sets it as the youngest, and forgets the oldest where there are too many. */
function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  for (const oldest of map.keys()) {
    if (map.size <= MOST_REMEMBERED) {
      return;
    }
    map.delete(oldest);
  }
}
