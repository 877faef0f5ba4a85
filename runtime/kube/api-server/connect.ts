// From "where is the cluster" to a store.
import { systemClock } from '#runtime/clock/system.ts';
import type { KubeStore } from '../store.ts';
import type { ClusterAccess } from './access.ts';
import { Connection, type ConnectionOptions } from './connection.ts';
import { accessOfPod } from './in-cluster.ts';
import { accessOfKubeconfig } from './kubeconfig.ts';
import { addressInPod, defaultKubeconfig } from './options.ts';
import { ApiServerStore } from './store.ts';

export interface ClusterOptions extends Omit<ConnectionOptions, 'access' | 'clock'> {
  /** A file. Left out, a pod uses its service account, and everyone else $KUBECONFIG or ~/.kube/config. */
  readonly kubeconfig?: string;
  /** Of the kubeconfig; its current one by default. */
  readonly context?: string;
  /** True: only the pod's service account will do. */
  readonly inCluster?: boolean;
}

export interface Cluster {
  readonly store: KubeStore;
  /** The address of the API server, for logs. */
  readonly server: string;
  /** Cuts everything that is under way. */
  close(): Promise<void>;
}

/**
 * Reads where the API server is and who we are; nothing is sent before the store's first call. Rejects with an Error
 * that says which file or setting is wrong.
 */
export async function connectToCluster(options: ClusterOptions): Promise<Cluster> {
  const access = await accessOf(options);
  const connection = new Connection({ ...options, access, clock: systemClock });
  return { store: new ApiServerStore(connection), server: access.server, close: () => connection.close() };
}

async function accessOf({ kubeconfig, context, inCluster }: ClusterOptions): Promise<ClusterAccess> {
  const pod = addressInPod();
  if (inCluster && pod === undefined) {
    throw new Error('not in a pod: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set; give a kubeconfig');
  }
  if (pod !== undefined && (inCluster || kubeconfig === undefined)) {
    return accessOfPod(pod);
  }
  return accessOfKubeconfig(kubeconfig ?? defaultKubeconfig(), context);
}
