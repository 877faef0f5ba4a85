// What somebody who watches sees: every version of every object of a kind, in order, from a watch of the API server.
import { request } from 'node:https';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { ApiAccess } from '#hack/control-plane/api-request.ts';
import type { KubeObject } from '#runtime/kube/resource.ts';

interface WatchEvent<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: T;
}

const RECONNECT_MS = 200;
const POLL_MS = 25;

/** Survives restarts of the API server; what was deleted while it was away is not noticed. */
export class Chronicle<T extends KubeObject> {
  readonly #access: ApiAccess;
  readonly #path: string;
  readonly #versions = new Map<string, T[]>();
  readonly #gone = new Set<string>();
  readonly #end = new AbortController();
  #running: Promise<void> = Promise.resolve();

  /** `path` lists the kind in all namespaces: names are taken to be unique. */
  constructor(access: ApiAccess, path: string) {
    this.#access = access;
    this.#path = path;
  }

  follow(): void {
    this.#running = this.#followOn();
  }

  async stop(): Promise<void> {
    this.#end.abort();
    await this.#running;
  }

  names(): string[] {
    return [...this.#versions.keys()];
  }

  /** Undefined where there is none, or none any more. */
  latest(name: string): T | undefined {
    return this.#gone.has(name) ? undefined : this.#versions.get(name)?.at(-1);
  }

  /** Oldest first. */
  versions(name: string): readonly T[] {
    return this.#versions.get(name) ?? [];
  }

  /** Resolves to the first latest version for which it holds; rejects with `told` of the object where it takes too long. */
  async until(name: string, wanted: Wanted<T>): Promise<T> {
    const { what, holds, told, seconds = 60 } = wanted;
    const deadline = performance.now() + seconds * 1000;
    for (;;) {
      const object = this.latest(name);
      if (object !== undefined && holds(object)) return object;
      if (performance.now() > deadline) {
        const seen = object === undefined ? 'there is none' : told(object);
        throw new Error(`${name}: ${what}: not within ${seconds} s; ${seen}`);
      }
      await delay(POLL_MS);
    }
  }

  async untilGone(name: string, told: (object: T) => string, seconds = 60): Promise<void> {
    const deadline = performance.now() + seconds * 1000;
    for (let object = this.latest(name); object !== undefined; object = this.latest(name)) {
      if (performance.now() > deadline) throw new Error(`${name}: it is not gone within ${seconds} s; ${told(object)}`);
      await delay(POLL_MS);
    }
  }

  async #followOn(): Promise<void> {
    const { signal } = this.#end;
    while (!signal.aborted) {
      await this.#watch().catch(() => undefined);
      await delay(RECONNECT_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Until the connection ends. Without a resourceVersion a watch begins with all there is. */
  async #watch(): Promise<void> {
    const { tls, headers, url } = this.#access;
    const target = new URL(`${this.#path}?watch=1`, url);
    const sent = request(target, { ...tls, headers, agent: false, signal: this.#end.signal });
    const response = await new Promise<NodeJS.ReadableStream>((resolve, reject) => {
      sent.once('response', resolve).once('error', reject).end();
    });
    sent.on('error', () => undefined); // the lines end then
    for await (const line of createInterface({ input: response })) this.#take(JSON.parse(line) as WatchEvent<T>);
  }

  #take({ type, object }: WatchEvent<T>): void {
    if (type === 'BOOKMARK' || type === 'ERROR') return;
    const { name, resourceVersion } = object.metadata;
    if (type === 'DELETED') this.#gone.add(name);
    else this.#gone.delete(name);
    const known = this.#versions.get(name) ?? [];
    if (known.at(-1)?.metadata.resourceVersion !== resourceVersion) this.#versions.set(name, [...known, object]);
  }
}

export interface Wanted<T> {
  /** As a sentence: "it runs". */
  readonly what: string;
  readonly holds: (object: T) => boolean;
  /** What the object says of itself. */
  readonly told: (object: T) => string;
  readonly seconds?: number;
}
