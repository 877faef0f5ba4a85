// A whole kind, read page by page.
import type { KubeObject, ResourceType } from './kube/resource.ts';
import type { KubeStore } from './kube/store.ts';

/** Which objects of a kind are wanted. */
export interface ObjectSelection {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface CompleteList<T> {
  readonly objects: T[];
  readonly resourceVersion: string;
}

/** Answers stay small, so that neither side has to hold a large kind in one piece of text. */
const PAGE_SIZE = 500;

/**
 * All pages, or a rejection: half a list would make objects look deleted. Always asks for the latest state, never for
 * version '0': that may come from a server whose cache is behind, and take a reader back to a time before what it has
 * already acted on. It costs little: since Kubernetes 1.31 the latest is served from the watch cache, too.
 */
export async function listAll<T extends KubeObject>(
  store: KubeStore,
  type: ResourceType<T>,
  selection: ObjectSelection,
  signal: AbortSignal,
): Promise<CompleteList<T>> {
  const options = { ...selection, limit: PAGE_SIZE, signal };
  let page = await store.list(type, options);
  const objects = [...page.items];
  while (page.continue !== undefined) {
    page = await store.list(type, { ...options, continue: page.continue });
    objects.push(...page.items);
  }
  return { objects, resourceVersion: page.resourceVersion };
}
