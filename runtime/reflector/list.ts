// A whole kind, read page by page.
import type { KubeObject, ResourceType } from '../kube/resource.ts';
import type { KubeStore } from '../kube/store.ts';
import { type KeepsAnnotation, trimmed } from './trim.ts';

/** Which objects of a kind are wanted. */
export interface ObjectSelection {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface ListRequest<T extends KubeObject> {
  readonly store: KubeStore;
  readonly type: ResourceType<T>;
  readonly selection: ObjectSelection;
  readonly keepsAnnotation: KeepsAnnotation;
}

export interface CompleteList<T> {
  readonly objects: T[];
  readonly resourceVersion: string;
}

/**
 * Answers stay small, so that neither side has to hold a large kind in one piece of text: a process keeps for good what
 * memory it needed once. 200 objects of 7 kB are 1.4 MB of text, and twice that in memory.
 */
const PAGE_SIZE = 200;

/**
 * All pages, or a rejection: half a list would make objects look deleted. Always asks for the latest state, never for
 * version '0': that may come from a server whose cache is behind, and take a reader back to a time before what it has
 * already acted on. It costs little: since Kubernetes 1.31 the latest is served from the watch cache, too.
 */
export async function listAll<T extends KubeObject>(
  { store, type, selection, keepsAnnotation }: ListRequest<T>,
  signal: AbortSignal,
): Promise<CompleteList<T>> {
  const trim = (object: T) => trimmed(object, keepsAnnotation);
  const options = { ...selection, limit: PAGE_SIZE, signal };
  let page = await store.list(type, options);
  const objects = page.items.map(trim);
  while (page.continue !== undefined) {
    page = await store.list(type, { ...options, continue: page.continue });
    objects.push(...page.items.map(trim));
  }
  return { objects, resourceVersion: page.resourceVersion };
}
