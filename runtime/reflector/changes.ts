// What has changed, worked out from what is seen now and what was seen before.
import { type KubeObject, keyOf, keyText } from '../kube/resource.ts';
import type { ObjectCache } from './object-cache.ts';

/**
 * 'deleted' carries the last state seen. Under a selector it also means "no longer selected": it proves nothing about
 * the object itself.
 */
export type ObjectChange<T> =
  | { readonly type: 'added'; readonly object: T }
  | { readonly type: 'updated'; readonly object: T; readonly previous: T }
  | { readonly type: 'deleted'; readonly object: T };

/**
 * Takes one object as it is now into the cache. A new uid under a known name is another object: the old one was
 * deleted, unseen, before this one was created. The cache is at each change's state when that change is yielded.
 */
export function* seePresent<T extends KubeObject>(cache: ObjectCache<T, string>, seen: T): Generator<ObjectChange<T>> {
  const previous = cache.get(keyOf(seen));
  if (previous !== undefined && previous.metadata.uid === seen.metadata.uid) {
    if (previous.metadata.resourceVersion !== seen.metadata.resourceVersion) {
      cache.put(seen);
      yield { type: 'updated', object: seen, previous };
    }
    return;
  }
  yield* seeAbsent(cache, keyText(keyOf(seen)));
  cache.put(seen);
  yield { type: 'added', object: seen };
}

/** Takes out of the cache what is no longer there. */
export function* seeAbsent<T extends KubeObject>(
  cache: ObjectCache<T, string>,
  key: string,
): Generator<ObjectChange<T>> {
  const previous = cache.get(key);
  if (previous !== undefined) {
    cache.remove(key);
    yield { type: 'deleted', object: previous };
  }
}

/** Takes a complete list into the cache: what it lacks is gone. Deletions come first: they make room. */
export function* seeAll<T extends KubeObject>(
  cache: ObjectCache<T, string>,
  objects: readonly T[],
): Generator<ObjectChange<T>> {
  const listed = new Set(objects.map((object) => keyText(keyOf(object))));
  for (const object of cache.list()) {
    const key = keyText(keyOf(object));
    if (!listed.has(key)) {
      yield* seeAbsent(cache, key);
    }
  }
  for (const object of objects) {
    yield* seePresent(cache, object);
  }
}
