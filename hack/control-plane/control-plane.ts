// A real Kubernetes control plane on the loopback: etcd, kube-apiserver and, where asked for, kube-controller-manager.

import { rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ProcessGroup, recordedProcesses, stopRecorded } from '../process-group.ts';
import type { ApiAccess } from './api-request.ts';
import { type ApiServerStart, startApiServer } from './api-server.ts';
import { ControlPlaneUnavailable, controlPlaneBinaries } from './binaries.ts';
import { etcd } from './components.ts';
import { startControllerManager } from './controller-manager.ts';
import { prepareDirectory, temporaryDirectory } from './directory.ts';
import { freePort } from './free-port.ts';
import { writeKubeconfig } from './kubeconfig.ts';

export interface ControlPlaneOptions {
  /** Kept after `stop`. Without it: a temporary one, removed by `stop` or when this process ends. */
  readonly directory?: string;
  /** Garbage collection, namespace deletion and the like need it. No, unless given. */
  readonly controllerManager?: boolean;
  /** Yes, unless given. */
  readonly audit?: boolean;
  /** A free one, unless given. */
  readonly port?: number;
  /** The processes outlive this one; `stopControlPlane(directory)` ends them. Needs a directory. */
  readonly detached?: boolean;
}

export interface ControlPlane {
  readonly url: string;
  /** The authority that signed the server's certificate. */
  readonly caFile: string;
  /** Of a user in `system:masters`: may do everything. */
  readonly adminToken: string;
  readonly adminKubeconfig: string;
  /** The admin's, for `apiRequest` and the token helpers. */
  readonly access: ApiAccess;
  readonly directory: string;
  /** One JSON event per line for every request that was answered. Not written where `audit` is false. */
  readonly auditLog: string;
  /** Path of a kubectl of the server's version; plain `kubectl` where KUBEBUILDER_ASSETS holds none. */
  readonly kubectl: string;
  /** By program name, as they are now. */
  pids(): Record<string, number>;
  /** Ends all processes. Calling it again does nothing. */
  stop(): Promise<void>;
  stopApiServer(): Promise<void>;
  /** On the same port, with the same data, certificates and tokens; returns when it is ready. */
  startApiServer(): Promise<void>;
  restartApiServer(): Promise<void>;
  /** As when the disks of etcd are lost: it begins anew, empty, on the same port, with the same certificates and keys. */
  loseData(): Promise<void>;
  /** Writes `<directory>/<name>.kubeconfig` for the bearer of `token` and returns its path. */
  createKubeconfig(name: string, token: string): Promise<string>;
}

const attached = new Set<{ group: ProcessGroup; directory: string; temporary: boolean }>();

/**
 * Returns when the API server is ready; any number run side by side. The processes end with this one however that
 * happens (kill -9 included), unless detached. Builds the programs first where the cache holds none. Throws
 * `ControlPlaneUnavailable` where they cannot be had, and with the end of its log where one of them fails.
 */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const { lifetime, directory } = await placeOf(options);
  const group = new ProcessGroup(directory);
  const forget = lifetime === 'parent' ? endWithThisProcess(group, directory, options) : () => undefined;
  const stop = async (): Promise<void> => {
    await group.stopAll();
    forget();
    if (options.directory === undefined) await rm(directory, { recursive: true, force: true });
  };
  try {
    return await startComponents({ options, directory, lifetime, group, stop });
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Stops a detached control plane by the record in its folder. Returns the names of the programs that still ran. */
export function stopControlPlane(directory: string): Promise<string[]> {
  return stopRecorded(directory);
}

interface Instance {
  readonly options: ControlPlaneOptions;
  readonly directory: string;
  readonly lifetime: 'parent' | 'detached';
  readonly group: ProcessGroup;
  readonly stop: () => Promise<void>;
}

async function placeOf(options: ControlPlaneOptions): Promise<Pick<Instance, 'directory' | 'lifetime'>> {
  const lifetime = options.detached === true ? 'detached' : 'parent';
  if (options.directory === undefined) {
    if (lifetime === 'detached') throw new Error('a detached control plane needs a directory, or nobody could stop it');
    return { lifetime, directory: await temporaryDirectory() };
  }
  const directory = resolve(options.directory);
  const [running] = await recordedProcesses(directory);
  if (running === undefined) return { lifetime, directory };
  throw new Error(
    `${directory}: a control plane runs there already (${running.name}, pid ${running.pid}): stop it first`,
  );
}

async function startComponents(instance: Instance): Promise<ControlPlane> {
  const { directory, lifetime, group, options } = instance;
  const binaries = await controlPlaneBinaries();
  const tokens = await prepareDirectory(directory);
  const context = { directory, lifetime };
  const startEtcd = () => group.start(etcd(binaries.etcd, context));
  await startEtcd();
  const start: ApiServerStart = {
    command: binaries.kubeApiserver,
    context,
    group,
    audit: options.audit ?? true,
    adminToken: tokens.admin,
  };
  const served = await startApiServer(start, options.port === undefined ? freePort : fixedPort(options.port));
  const kubeconfigs = kubeconfigWriter(directory, served.url, served.caFile);
  const startManager = await controllerManager(instance, binaries.kubeControllerManager, async () => {
    await kubeconfigs('controller-manager', tokens.controllerManager);
    return served.access;
  });
  const control = apiServerControl(start, served.port);
  return {
    ...served,
    directory,
    adminToken: tokens.admin,
    adminKubeconfig: await kubeconfigs('admin', tokens.admin),
    auditLog: join(directory, 'audit.log'),
    kubectl: binaries.kubectl ?? 'kubectl',
    pids: () => group.pids(),
    stop: instance.stop,
    createKubeconfig: kubeconfigs,
    ...control,
    loseData: async () => {
      await group.stopAll();
      await rm(join(directory, 'etcd'), { recursive: true });
      for (const begin of [startEtcd, control.startApiServer, startManager]) await begin();
    },
  };
}

function fixedPort(port: number): () => Promise<number> {
  return () => Promise.resolve(port);
}

/** Starts it where it is asked for. Returns how to start it again. */
async function controllerManager(
  { directory, lifetime, group, options }: Instance,
  command: string | undefined,
  prepare: () => Promise<ApiAccess>,
): Promise<() => Promise<void>> {
  if (options.controllerManager !== true) return () => Promise.resolve();
  const context = { directory, lifetime };
  const manager = { command: command ?? missingControllerManager(), context, group, access: await prepare() };
  const begin = () => startControllerManager(manager);
  await begin();
  return begin;
}

function missingControllerManager(): never {
  throw new ControlPlaneUnavailable(
    'KUBEBUILDER_ASSETS holds no kube-controller-manager: put one there, or unset it to build our own',
  );
}

function kubeconfigWriter(directory: string, url: string, caFile: string) {
  return async (name: string, token: string): Promise<string> => {
    const file = join(directory, `${name}.kubeconfig`);
    await writeKubeconfig(file, { url, caFile, user: name, token });
    return file;
  };
}

function apiServerControl(
  start: ApiServerStart,
  port: number,
): Pick<ControlPlane, 'stopApiServer' | 'startApiServer' | 'restartApiServer'> {
  const stop = (): Promise<void> => start.group.stop('kube-apiserver');
  const startAgain = async (): Promise<void> => {
    await startApiServer(start, fixedPort(port));
  };
  return {
    stopApiServer: stop,
    startApiServer: startAgain,
    restartApiServer: async () => {
      await stop();
      await startAgain();
    },
  };
}

/** The kernel ends the processes with us in any case; here the temporary folder goes too. Returns how to call it off. */
function endWithThisProcess(group: ProcessGroup, directory: string, options: ControlPlaneOptions): () => void {
  const entry = { group, directory, temporary: options.directory === undefined };
  if (attached.size === 0) process.once('exit', endAttached);
  attached.add(entry);
  return () => {
    attached.delete(entry);
    if (attached.size === 0) process.off('exit', endAttached);
  };
}

function endAttached(): void {
  for (const { group, directory, temporary } of attached) {
    group.killAll();
    if (temporary) rmSync(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  }
}
