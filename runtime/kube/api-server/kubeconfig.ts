// The access that a kubeconfig file describes.

import { accessSync, constants, readFileSync } from 'node:fs';
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
    throw new Error(`the kubeconfig ${path} cannot be used: ${faultInWords(cause, path)}`, { cause });
  }
}

const FILE_FAULTS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'this user may not read it',
  EISDIR: 'it is a directory',
};

/** Of the file itself, or of one that it names. */
function faultInWords(cause: unknown, path: string): string {
  if (!(cause instanceof Error)) return String(cause);
  const { code = '', path: file = path }: NodeJS.ErrnoException = cause;
  const words = FILE_FAULTS[code];
  if (words === undefined) return cause.message.trim();
  return file === path ? words : `it names ${file}, and ${words.replace(/\bit\b/, 'that')}`;
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
  refuseNoUrl(cluster);
  const { caFile, caData, server, tlsServerName, skipTLSVerify } = cluster;
  const tls = () => {
    const ca = pem(caData, caFile && resolve(folder, caFile));
    return {
      ...(ca !== undefined && { ca }),
      ...(tlsServerName && { servername: tlsServerName }),
      rejectUnauthorized: !skipTLSVerify,
    };
  };
  const user = userIn(config, context.user, folder);
  tls();
  for (const file of filesOf(user)) accessSync(file, constants.R_OK);
  return { server, tls, user };
}

/** They are read again whenever they are needed; here it is seen whether they are there. */
function filesOf({ certFile, keyFile, authProvider }: User): string[] {
  const tokenFile: unknown = authProvider?.config?.tokenFile;
  return [certFile, keyFile, tokenFile].flatMap((file) => (typeof file === 'string' && file !== '' ? [file] : []));
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
  if (entry === undefined && what === 'context' && name === '')
    throw new Error('it has no current-context: choose one with kubectl config use-context');
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

function refuseNoUrl({ name, server }: Cluster): void {
  if (!/^https?:$/.test(URL.parse(server)?.protocol ?? '')) {
    throw new Error(`the server of cluster "${name}" must be a URL such as https://10.0.0.1:6443, not "${server}"`);
  }
}

/** A PEM text from a file, or from base64. */
export function pem(data: string | null | undefined, file: string | null | undefined): Buffer | undefined {
  if (data) {
    return Buffer.from(data, 'base64');
  }
  return file ? readFileSync(file) : undefined;
}
