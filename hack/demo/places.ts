// Where the demo keeps what it needs. One demo per checkout.
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { REPOSITORY } from '../repository.ts';

export const DIRECTORY = join(REPOSITORY, 'build/demo');
/** Short, since the paths of sockets must be, and of this checkout alone. */
export const MACHINE_DIRECTORY = `/run/usher-demo-${createHash('sha256').update(REPOSITORY).digest('hex').slice(0, 8)}`;
export const KUBECONFIG = join(DIRECTORY, 'control-plane/admin.kubeconfig');
