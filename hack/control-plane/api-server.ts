// Starting kube-apiserver until it is ready to serve, on a port that it really got.

import { X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { lastLines } from '../process.ts';
import { endedError, type ProcessGroup } from '../process-group.ts';
import { type ApiAccess, isReady, tokenAccess } from './api-request.ts';
import { type ComponentContext, kubeApiserver } from './components.ts';

export interface ApiServerStart {
  readonly command: string;
  readonly context: ComponentContext;
  /** etcd runs in it already. */
  readonly group: ProcessGroup;
  readonly audit: boolean;
  readonly adminToken: string;
}

export interface ServedApi {
  readonly url: string;
  readonly port: number;
  readonly caFile: string;
  readonly access: ApiAccess;
}

const PORT_TRIES = 20;
const READY_WITHIN_MS = 120_000;

/** Asks `choosePort` again, for a while, as long as the port turns out to be taken. */
export async function startApiServer(start: ApiServerStart, choosePort: () => Promise<number>): Promise<ServedApi> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await choosePort();
    await start.group.start(kubeApiserver(start.command, start.context, { port, audit: start.audit }));
    const served = await readyOrPortTaken(start, port);
    if (served !== 'port taken') return served;
    if (attempt === PORT_TRIES)
      throw new Error(`kube-apiserver: port ${port} on 127.0.0.1 is taken: choose another one`);
    await delay(100);
  }
}

async function readyOrPortTaken(start: ApiServerStart, port: number): Promise<ServedApi | 'port taken'> {
  const deadline = performance.now() + READY_WITHIN_MS;
  while (performance.now() < deadline) {
    const ended = start.group.ended();
    if (ended !== undefined) {
      if (lastLines(ended.logFile, 1).includes('address already in use')) return 'port taken';
      throw endedError(ended);
    }
    const served = await servedApi(start, port);
    if (served !== undefined && (await isReady(served.access))) return served;
    await delay(50);
  }
  const log = join(start.context.directory, 'kube-apiserver.log');
  throw new Error(`kube-apiserver is not ready after ${READY_WITHIN_MS / 1000} s:\n${lastLines(log, 20)}`);
}

/** Undefined until the server has written its certificates. Their authority tells our server from another on that port. */
async function servedApi(start: ApiServerStart, port: number): Promise<ServedApi | undefined> {
  const { directory } = start.context;
  const chain = await readFile(join(directory, 'certificates', 'apiserver.crt'), 'utf8').catch(() => '');
  const authority = certificatesIn(chain).find((pem) => new X509Certificate(pem).ca);
  if (authority === undefined) return undefined;
  const caFile = join(directory, 'ca.crt');
  await writeFile(caFile, authority);
  const url = `https://127.0.0.1:${port}`;
  return { url, port, caFile, access: tokenAccess(url, authority, start.adminToken) };
}

function certificatesIn(chain: string): string[] {
  return chain.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/g) ?? [];
}
