// What is needed to reach an API server, wherever it was found out.
import type { User } from '@kubernetes/client-node/dist/config_types.js';

export interface ClusterAccess {
  /** https://host:port, with a path where the API server sits behind one. */
  readonly server: string;
  /** Reads the files anew each time: they are renewed under us. */
  readonly tls: () => TlsTrust;
  readonly user: User;
}

export interface TlsTrust {
  readonly ca?: string | Buffer;
  readonly servername?: string;
  /** False only where a kubeconfig says insecure-skip-tls-verify. */
  readonly rejectUnauthorized: boolean;
}
