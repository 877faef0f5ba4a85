// kubectl as the administrator of a control plane.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ControlPlane } from './control-plane.ts';

type Access = Pick<ControlPlane, 'kubectl' | 'adminKubeconfig' | 'directory'>;

const run = promisify(execFile);
const MAX_OUTPUT_BYTES = 2 ** 24;

/** What kubectl prints. Rejects with what it complains of. */
export async function kubectl(controlPlane: Access, ...args: string[]): Promise<string> {
  const { stdout } = await run(controlPlane.kubectl, [...kubectlFlags(controlPlane), ...args], {
    maxBuffer: MAX_OUTPUT_BYTES,
  });
  return stdout.trim();
}

/** Whom it is to ask, and a cache of its own: that in the home directory knows other servers. */
export function kubectlFlags({ adminKubeconfig, directory }: Access): string[] {
  return ['--kubeconfig', adminKubeconfig, '--cache-dir', join(directory, 'kubectl-cache')];
}
