// The access of a pod: the files of its service account, which kubelet renews.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClusterAccess } from './access.ts';

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

export interface ApiServerAddress {
  readonly host: string;
  readonly port: string;
}

export function accessOfPod({ host, port }: ApiServerAddress, folder = SERVICE_ACCOUNT): ClusterAccess {
  const tokenFile = join(folder, 'token');
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    tls: () => ({ ca: readFileSync(join(folder, 'ca.crt')), rejectUnauthorized: true }),
    user: { name: 'service-account', authProvider: { name: 'tokenFile', config: { tokenFile } } },
  };
}
