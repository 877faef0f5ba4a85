// A real API server that serves what the conformance suite needs, as a store.
import { type Cluster, connectToCluster } from '#runtime/kube/api-server/connect.ts';
import { widgetDefinition, widgets } from '#runtime/kube/conformance/widget.ts';
import { isKubeError } from '#runtime/kube/errors.ts';
import type { KubeObject, ResourceType } from '#runtime/kube/resource.ts';
import type { KubeStore } from '#runtime/kube/store.ts';

const definitions: ResourceType<KubeObject> = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  namespaced: false,
};

/** Connected as the kubeconfig says; Widgets are served once it resolves. */
export async function connectWithWidgets(kubeconfig: string, manager: string): Promise<Cluster> {
  const cluster = await connectToCluster({ kubeconfig, userAgent: `${manager}/1` });
  await cluster.store.apply(definitions, widgetDefinition, { fieldManager: manager });
  await untilServed(cluster.store);
  return cluster;
}

async function untilServed(store: KubeStore): Promise<void> {
  for (;;) {
    try {
      await store.list(widgets, { limit: 1 });
      return;
    } catch (error) {
      if (!isKubeError(error, 'NotFound', 'TooManyRequests', 'Internal')) {
        throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
