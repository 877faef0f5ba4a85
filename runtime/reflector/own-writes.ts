// A cache is a moment behind one's own writes. Deciding on what was there before them costs a conflict each time, so the
// answer to a write is kept until the cache has caught up.
import type { KubeObject } from '../kube/resource.ts';
import { compareResourceVersions } from '../kube/resource-version.ts';

export class OwnWrites<T extends KubeObject> {
  readonly #written = new Map<string, T>();

  /** The object as the server gave it back. */
  remember(object: T): void {
    const { uid } = object.metadata;
    if (uid !== undefined) this.#written.set(uid, object);
  }

  /** The newer of what the cache has and what was written; forgets the latter once the cache has it. */
  latest(cached: T): T {
    const { uid, resourceVersion } = cached.metadata;
    const written = uid === undefined ? undefined : this.#written.get(uid);
    if (uid === undefined || written === undefined) return cached;
    if (isNewer(written.metadata.resourceVersion, resourceVersion)) return written;
    this.#written.delete(uid);
    return cached;
  }

  /** The object is gone: so that the memory does not grow. */
  forget(uid: string): void {
    this.#written.delete(uid);
  }
}

function isNewer(one: string | undefined, other: string | undefined): boolean {
  return one !== undefined && other !== undefined && compareResourceVersions(one, other) > 0;
}
