// Whether the API server serves the kinds that a program lives by.
import { isKubeError, KubeError } from '../kube/errors.ts';
import type { Advice } from '../kube/explain.ts';
import type { KubeObject, ResourceType } from '../kube/resource.ts';
import type { KubeStore } from '../kube/store.ts';
import { type Patience, persevere } from './persevere.ts';

export interface Served extends Patience {
  readonly store: KubeStore;
  readonly types: readonly ResourceType<KubeObject>[];
  readonly advice?: Advice;
}

/** Resolves once all of them can be read, and rejects with the signal's reason. */
export async function untilServed(served: Served, signal: AbortSignal): Promise<void> {
  const read = async (limited: AbortSignal) => {
    for (const type of served.types) await readOne(served.store, type, limited);
  };
  await persevere({ ...served, until: 'the API server serves what this program lives by' }, read, signal);
}

async function readOne(store: KubeStore, type: ResourceType<KubeObject>, signal: AbortSignal): Promise<void> {
  try {
    await store.list(type, { limit: 1, signal });
  } catch (error) {
    if (!isKubeError(error, 'NotFound')) throw error;
    const kind = `${type.plural}.${type.apiVersion.split('/')[0]}`;
    throw new KubeError('NotFound', `the API server knows no ${kind}`, { cause: error });
  }
}
