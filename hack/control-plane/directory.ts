// The folder of one control plane: keys, tokens, the audit policy, and where each process keeps its files.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export interface Tokens {
  readonly admin: string;
  readonly controllerManager: string;
}

const TEMPORARY_PREFIX = 'usher-control-plane-';

/** Every request once, when it has been answered, without bodies: who wrote what, how often. */
const AUDIT_POLICY = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'Metadata' }],
};

/** A new folder below the system's temporary one; folders that killed processes left there are removed. */
export async function temporaryDirectory(): Promise<string> {
  await removeAbandoned();
  return mkdtemp(join(tmpdir(), `${TEMPORARY_PREFIX}${process.pid}-`));
}

async function removeAbandoned(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = new RegExp(`^${TEMPORARY_PREFIX}([0-9]+)-`).exec(name)?.[1];
    if (pid === undefined || existsSync(`/proc/${pid}`)) continue;
    // Somebody else's folder cannot be removed, and need not be.
    await rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => undefined);
  }
}

/**
 * Writes what the processes read at their start. What is there already stays, so that an instance which is started
 * again in its folder keeps its data, its certificates and the tokens it gave out.
 */
export async function prepareDirectory(path: string): Promise<Tokens> {
  const directory = resolve(path);
  await mkdir(directory, { recursive: true });
  await chmod(directory, 0o700);
  await writeFile(join(directory, 'audit-policy.json'), JSON.stringify(AUDIT_POLICY));
  if (!existsSync(join(directory, 'service-account.pub'))) await writeServiceAccountKeys(directory);
  return existsSync(join(directory, 'tokens.csv')) ? readTokens(directory) : writeTokens(directory);
}

async function writeServiceAccountKeys(directory: string): Promise<void> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'sec1', format: 'pem' },
  });
  await writeFile(join(directory, 'service-account.key'), privateKey, { mode: 0o600 });
  await writeFile(join(directory, 'service-account.pub'), publicKey);
}

async function writeTokens(directory: string): Promise<Tokens> {
  const tokens = { admin: randomBytes(24).toString('hex'), controllerManager: randomBytes(24).toString('hex') };
  const rows = [
    `${tokens.admin},usher-admin,usher-admin,"system:masters"`,
    `${tokens.controllerManager},system:kube-controller-manager,system:kube-controller-manager`,
  ];
  await writeFile(join(directory, 'tokens.csv'), `${rows.join('\n')}\n`, { mode: 0o600 });
  return tokens;
}

async function readTokens(directory: string): Promise<Tokens> {
  const rows = (await readFile(join(directory, 'tokens.csv'), 'utf8')).split('\n');
  const [admin, controllerManager] = rows.map((row) => row.split(',')[0]);
  if (!admin || !controllerManager) throw new Error(`${directory}/tokens.csv is damaged: remove the folder`);
  return { admin, controllerManager };
}
