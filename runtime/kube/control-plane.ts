// Which control plane this is: the namespace kube-system is made once in its life, and a backup keeps its uid.
import type { KubeObject, ResourceType } from './resource.ts';
import type { KubeStore } from './store.ts';

export const NAMESPACES: ResourceType<KubeObject> = {
  apiVersion: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  namespaced: false,
};

/** The namespace whose uid stands for the control plane. */
export const IDENTITY_NAMESPACE = 'kube-system';

/** Rejects with a KubeError. */
export async function controlPlaneUid(store: KubeStore, signal: AbortSignal): Promise<string> {
  const { metadata } = await store.get(NAMESPACES, { name: IDENTITY_NAMESPACE }, signal);
  return metadata.uid ?? '';
}
