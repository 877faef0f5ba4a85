// What an administrator would apply: the API, the rights and the admission policies.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ControlPlane } from '../control-plane/control-plane.ts';

const run = promisify(execFile);

/** Tells a person what is being done. */
export type Announce = (text: string) => void;

const root = join(import.meta.dirname, '../..');
const API = join(root, 'crds/manifests');
const RIGHTS = [join(root, 'operator/rbac'), join(root, 'operator/admission')];

/** Returns when the API is served. Admission policies come in force some seconds later. */
export async function installUsher(controlPlane: ControlPlane, announce: Announce): Promise<void> {
  announce('Applying the API, the rights and the admission policies');
  await kubectl(controlPlane, 'apply', '--server-side', '-f', API);
  await kubectl(controlPlane, 'wait', '--for=condition=Established', '--timeout=30s', '-f', API);
  for (const directory of RIGHTS) await kubectl(controlPlane, 'apply', '--server-side', '-f', directory);
}

/** What kubectl prints, as the administrator. Rejects with what it complains of. */
export async function kubectl(
  { kubectl: program, adminKubeconfig, directory }: ControlPlane,
  ...args: string[]
): Promise<string> {
  const cache = join(directory, 'kubectl-cache');
  const { stdout } = await run(program, ['--kubeconfig', adminKubeconfig, '--cache-dir', cache, ...args], {
    maxBuffer: 2 ** 24,
  });
  return stdout.trim();
}
