// A store that tells how its requests went, for metrics.
import type { Clock } from '../clock/clock.ts';
import { isKubeError, type KubeErrorReason } from '../kube/errors.ts';
import type { KubeStore } from '../kube/store.ts';

export type StoreVerb = Exclude<keyof KubeStore, 'watch'>;

export interface StoreObserver {
  requested(verb: StoreVerb, kind: string, outcome: 'Ok' | KubeErrorReason, seconds: number): void;
}

/** The same store; watches are left to the metrics of whoever watches. */
export function meteredStore(store: KubeStore, clock: Clock, observer: StoreObserver): KubeStore {
  async function timed<R>(verb: StoreVerb, kind: string, request: Promise<R>): Promise<R> {
    const began = clock.monotonic();
    const tell = (outcome: 'Ok' | KubeErrorReason) =>
      observer.requested(verb, kind, outcome, (clock.monotonic() - began) / 1000);
    try {
      const answer = await request;
      tell('Ok');
      return answer;
    } catch (error) {
      tell(isKubeError(error) ? error.reason : 'Internal');
      throw error;
    }
  }
  return {
    get: async (type, ...args) => timed('get', type.kind, store.get(type, ...args)),
    list: async (type, ...args) => timed('list', type.kind, store.list(type, ...args)),
    watch: (...args) => store.watch(...args),
    create: async (type, ...args) => timed('create', type.kind, store.create(type, ...args)),
    mergePatch: async (type, ...args) => timed('mergePatch', type.kind, store.mergePatch(type, ...args)),
    jsonPatch: async (type, ...args) => timed('jsonPatch', type.kind, store.jsonPatch(type, ...args)),
    apply: async (type, ...args) => timed('apply', type.kind, store.apply(type, ...args)),
    delete: async (type, ...args) => timed('delete', type.kind, store.delete(type, ...args)),
    mayDo: async (question, ...args) => timed('mayDo', question.type.kind, store.mayDo(question, ...args)),
  };
}
