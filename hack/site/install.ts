// What an administrator would apply: the API, the rights and the admission policies.
import { join } from 'node:path';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { kubectl } from '../control-plane/kubectl.ts';
import { REPOSITORY } from '../repository.ts';

/** Tells a person what is being done. */
export type Announce = (text: string) => void;

const API = join(REPOSITORY, 'crds/manifests');
const RIGHTS = [join(REPOSITORY, 'rights/rbac'), join(REPOSITORY, 'rights/admission')];

/** Returns when the API is served. Admission policies come in force some seconds later. */
export async function installUsher(controlPlane: ControlPlane, announce: Announce): Promise<void> {
  announce('Applying the API, the rights and the admission policies');
  await kubectl(controlPlane, 'apply', '--server-side', '-f', API);
  await kubectl(controlPlane, 'wait', '--for=condition=Established', '--timeout=30s', '-f', API);
  for (const directory of RIGHTS) await kubectl(controlPlane, 'apply', '--server-side', '-f', directory);
}
