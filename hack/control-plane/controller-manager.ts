import { setTimeout as delay } from 'node:timers/promises';
import { endedError, type ProcessGroup } from '../process-group.ts';
import { type ApiAccess, ApiRequestError, apiRequest } from './api-request.ts';
import { type ComponentContext, kubeControllerManager } from './components.ts';

export interface ControllerManagerStart {
  readonly command: string;
  readonly context: ComponentContext;
  /** The API server of `access` runs in it and is ready: before that, the controllers lack their bootstrap roles. */
  readonly group: ProcessGroup;
  readonly access: ApiAccess;
}

const WORKING_WITHIN_MS = 60_000;

/** Returns when the controllers do their work, told by the first thing they make: the default service account. */
export async function startControllerManager(start: ControllerManagerStart): Promise<void> {
  await start.group.start(kubeControllerManager(start.command, start.context));
  const deadline = performance.now() + WORKING_WITHIN_MS;
  while (!(await hasDefaultServiceAccount(start.access))) {
    const ended = start.group.ended();
    if (ended !== undefined) throw endedError(ended);
    if (performance.now() > deadline) {
      throw new Error(
        `kube-controller-manager does nothing: see ${start.context.directory}/kube-controller-manager.log`,
      );
    }
    await delay(100);
  }
}

async function hasDefaultServiceAccount(access: ApiAccess): Promise<boolean> {
  const path = '/api/v1/namespaces/default/serviceaccounts/default';
  try {
    await apiRequest(access, { method: 'GET', path });
    return true;
  } catch (error) {
    if (error instanceof ApiRequestError && error.status === 404) return false;
    throw error;
  }
}
