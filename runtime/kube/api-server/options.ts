// What the environment says about where the API server is, by the rules of kubectl and of pods.
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { ApiServerAddress } from './in-cluster.ts';

/** As kubelet tells every pod; undefined outside of one. */
export function addressInPod(env: NodeJS.ProcessEnv = process.env): ApiServerAddress | undefined {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env;
  return host && port ? { host, port } : undefined;
}

/** The first file of $KUBECONFIG, else ~/.kube/config. */
export function defaultKubeconfig(env: NodeJS.ProcessEnv = process.env): string {
  const [first] = (env.KUBECONFIG ?? '').split(delimiter).filter((path) => path !== '');
  return first ?? join(homedir(), '.kube', 'config');
}
