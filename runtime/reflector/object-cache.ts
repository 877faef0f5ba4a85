// The objects of one kind as they were last seen, found by key, by uid and by whatever else readers look for.
import { type KubeObject, keyOf, keyText, type ObjectKey } from '../kube/resource.ts';

/** The values under which an object is found; none leaves it out of the index. */
export type IndexFunction<T> = (object: T) => readonly string[];

/** What readers may do. Objects handed out may be kept but not changed. */
export interface ObjectReader<T extends KubeObject, Index extends string = never> {
  readonly size: number;
  /** By `keyText`. */
  get(key: ObjectKey | string): T | undefined;
  getByUid(uid: string): T | undefined;
  list(): T[];
  byIndex(index: Index, value: string): T[];
}

export class ObjectCache<T extends KubeObject, Index extends string = never> implements ObjectReader<T, Index> {
  readonly #byKey = new Map<string, T>();
  readonly #byUid = new Map<string, T>();
  readonly #indexes: ReadonlyMap<Index, MultiMap<T>>;
  readonly #functions: [Index, IndexFunction<T>][];

  constructor(indexes: Record<Index, IndexFunction<T>> = {} as Record<Index, IndexFunction<T>>) {
    this.#functions = Object.entries(indexes) as [Index, IndexFunction<T>][];
    this.#indexes = new Map(this.#functions.map(([index]) => [index, new MultiMap<T>()]));
  }

  get size(): number {
    return this.#byKey.size;
  }

  get(key: ObjectKey | string): T | undefined {
    return this.#byKey.get(typeof key === 'string' ? key : keyText(key));
  }

  getByUid(uid: string): T | undefined {
    return this.#byUid.get(uid);
  }

  list(): T[] {
    return [...this.#byKey.values()];
  }

  /** In the order in which they were put. */
  byIndex(index: Index, value: string): T[] {
    return this.#indexes.get(index)?.get(value) ?? [];
  }

  /** In place of whatever had its key. */
  put(object: T): void {
    const key = keyText(keyOf(object));
    const places = this.#placesOf(object);
    this.remove(key);
    this.#byKey.set(key, object);
    if (object.metadata.uid !== undefined) {
      this.#byUid.set(object.metadata.uid, object);
    }
    places.forEach(([index, value]) => this.#indexes.get(index)?.add(value, object));
  }

  remove(key: string): void {
    const object = this.#byKey.get(key);
    if (object === undefined) {
      return;
    }
    this.#byKey.delete(key);
    if (object.metadata.uid !== undefined) {
      this.#byUid.delete(object.metadata.uid);
    }
    this.#placesOf(object).forEach(([index, value]) => this.#indexes.get(index)?.remove(value, object));
  }

  /** Worked out before anything is changed, so that an index function that throws leaves the cache whole. */
  #placesOf(object: T): [Index, string][] {
    return this.#functions.flatMap(([index, values]) => values(object).map((value): [Index, string] => [index, value]));
  }
}

class MultiMap<T> {
  readonly #sets = new Map<string, Set<T>>();

  get(value: string): T[] {
    return [...(this.#sets.get(value) ?? [])];
  }

  add(value: string, item: T): void {
    const set = this.#sets.get(value) ?? new Set<T>();
    this.#sets.set(value, set.add(item));
  }

  remove(value: string, item: T): void {
    const set = this.#sets.get(value);
    set?.delete(item);
    if (set?.size === 0) {
      this.#sets.delete(value);
    }
  }
}
