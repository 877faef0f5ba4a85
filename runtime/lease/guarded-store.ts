// A store that only reads once somebody else may write: a leader that was frozen must not act on what it knew before.
import type { KubeStore } from '../kube/store.ts';

/** Thrown instead of writing. Nothing was sent. */
class WriteNotAllowed extends Error {
  override readonly name = 'WriteNotAllowed';
}

/** Every write asks `mayWrite` right before it is sent, and rejects with `WriteNotAllowed` where the answer is no. */
export function guardedStore(store: KubeStore, mayWrite: () => boolean): KubeStore {
  const check = (): void => {
    if (!mayWrite()) throw new WriteNotAllowed('the leadership under which this was decided is over');
  };
  return {
    get: async (...args) => store.get(...args),
    list: async (...args) => store.list(...args),
    watch: (...args) => store.watch(...args),
    mayDo: async (...args) => store.mayDo(...args),
    create: async (...args) => {
      check();
      return store.create(...args);
    },
    mergePatch: async (...args) => {
      check();
      return store.mergePatch(...args);
    },
    jsonPatch: async (...args) => {
      check();
      return store.jsonPatch(...args);
    },
    apply: async (...args) => {
      check();
      return store.apply(...args);
    },
    delete: async (...args) => {
      check();
      return store.delete(...args);
    },
  };
}
