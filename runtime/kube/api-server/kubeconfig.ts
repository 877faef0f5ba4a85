// The access that a kubeconfig file describes.

import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import {
  type Cluster,
  type Context,
  newClusters,
  newContexts,
  newUsers,
  type User,
} from '@kubernetes/client-node/dist/config_types.js';
import type { ClusterAccess } from './access.ts';

/** Throws an Error that names the file and what is wrong with it. */
export async function accessOfKubeconfig(path: string, contextName?: string): Promise<ClusterAccess> {
  try {
    return accessIn(await parsed(path), dirname(path), contextName);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`the kubeconfig ${path} cannot be used: ${why}`, { cause });
  }
}

interface RawUser {
  name?: string;
  user?: { tokenFile?: string; exec?: { command?: string } };
}

interface RawConfig {
  clusters?: unknown;
  contexts?: unknown;
  users?: RawUser[];
  'current-context'?: string;
}

async function parsed(path: string): Promise<RawConfig> {
  const text = await readFile(path, 'utf8');
  // Loaded only here: in a pod there is no kubeconfig, and no need for 14 MB of YAML parser.
  const { parse } = await import('yaml');
  const config: unknown = parse(text);
  if (typeof config !== 'object' || config === null) {
    throw new Error('it holds no configuration');
  }
  return config;
}

function accessIn(config: RawConfig, folder: string, wanted = config['current-context'] ?? ''): ClusterAccess {
  const contexts: Context[] = newContexts(config.contexts);
  const context = named(contexts, wanted, 'context');
  const cluster = named(newClusters(config.clusters), context.cluster, 'cluster');
  refuseProxy(cluster);
  const { caFile, caData, server, tlsServerName, skipTLSVerify } = cluster;
  return {
    server,
    tls: () => {
      const ca = pem(caData, caFile && resolve(folder, caFile));
      return {
        ...(ca !== undefined && { ca }),
        ...(tlsServerName && { servername: tlsServerName }),
        rejectUnauthorized: !skipTLSVerify,
      };
    },
    user: userIn(config, context.user, folder),
  };
}

function userIn(config: RawConfig, name: string, folder: string): User {
  const user = named(newUsers(config.users), name, 'user');
  const raw = config.users?.find((entry) => entry.name === name)?.user;
  const { certFile, keyFile } = user;
  return {
    ...user,
    ...(certFile && { certFile: resolve(folder, certFile) }),
    ...(keyFile && { keyFile: resolve(folder, keyFile) }),
    ...(raw?.tokenFile && {
      authProvider: { name: 'tokenFile', config: { tokenFile: resolve(folder, raw.tokenFile) } },
    }),
    ...(raw?.exec?.command?.includes('/') && {
      exec: { ...raw.exec, command: resolve(folder, raw.exec.command) },
    }),
  };
}

function named<T extends { name: string }>(entries: readonly T[], name: string, what: string): T {
  const entry = entries.find((candidate) => candidate.name === name);
  if (entry === undefined) {
    const known = entries.map((candidate) => candidate.name).join(', ') || 'none';
    throw new Error(`it has no ${what} "${name}" (there is: ${known})`);
  }
  return entry;
}

function refuseProxy({ name, proxyUrl }: Cluster): void {
  if (proxyUrl) {
    throw new Error(`cluster "${name}" asks for a proxy (proxy-url), which is not supported: remove it`);
  }
}

/** A PEM text from a file, or from base64. */
export function pem(data: string | null | undefined, file: string | null | undefined): Buffer | undefined {
  if (data) {
    return Buffer.from(data, 'base64');
  }
  return file ? readFileSync(file) : undefined;
}
