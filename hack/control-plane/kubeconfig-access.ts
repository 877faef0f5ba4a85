import type { RequestOptions } from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';
import type { ApiAccess } from './api-request.ts';

/** Access as the current context of a kubeconfig says: certificates, tokens and exec credentials alike. */
export async function kubeconfigAccess(file: string): Promise<ApiAccess> {
  const config = new KubeConfig();
  config.loadFromFile(file);
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new Error(`${file}: its current-context names no cluster: set current-context`);
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  const { ca, cert, key, rejectUnauthorized } = options;
  const headers = Object.fromEntries(
    Object.entries(options.headers ?? {}).map(([name, value]) => [name, String(value)]),
  );
  const tls = { ca, cert, key, rejectUnauthorized };
  return { url: cluster.server, tls: withoutUndefined(tls), headers };
}

function withoutUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as T;
}
