// The operator and the daemons as they are shipped: processes of their own, with the rights of their service accounts.
import { join } from 'node:path';
import { NODE_DAEMON_SERVICE_ACCOUNT, OPERATOR_SERVICE_ACCOUNT, SYSTEM_NAMESPACE } from '#crds/v1alpha1/names.ts';
import { apiRequest } from '../control-plane/api-request.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { nodeBoundToken, serviceAccountToken } from '../control-plane/service-account-token.ts';
import { enter, initPid } from '../hypervisor-host/host.ts';
import { migrationUriOf } from '../hypervisor-host/host-network.ts';
import type { ProcessGroup } from '../process-group.ts';
import { REPOSITORY } from '../repository.ts';
import type { Machine } from './machines.ts';

export interface Programs {
  readonly controlPlane: ControlPlane;
  readonly programs: ProcessGroup;
  readonly directory: string;
  readonly lifetime: 'parent' | 'detached';
  readonly heartbeatSeconds: number;
  readonly virtualization: 'auto' | 'qemu';
  /** After so many seconds without a heartbeat the guard of a machine stops guests; without it there are no guards. */
  readonly guardDeadlineSeconds?: number | undefined;
  readonly operatorArguments?: readonly string[];
}

/** A demo may be left running for weeks. */
const TOKEN_SECONDS = 30 * 24 * 3600;
const SILENT_AFTER_HEARTBEATS = 4;

/** Written by whatever starts the programs in this checkout; may be removed at any time. */
export const COMPILE_CACHE = join(REPOSITORY, 'build/compile-cache');

/**
 * What keeps them small, for Node has the memory of servers in mind: less room for objects that die young, one arena
 * for its threads, what is freed given back at once, and the compiled code on disk, which saves loading the remover of
 * types. See docs/performance.md.
 */
const ENVIRONMENT = {
  NODE_OPTIONS: '--max-semi-space-size=8',
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_THRESHOLD_: '65536',
  MALLOC_TRIM_THRESHOLD_: '65536',
  NODE_COMPILE_CACHE: COMPILE_CACHE,
};

/** Several may run side by side, each under a name of its own: one leads. */
export async function startOperator(running: Programs, name: string): Promise<void> {
  const { controlPlane, heartbeatSeconds } = running;
  const subject = {
    namespace: SYSTEM_NAMESPACE,
    serviceAccount: OPERATOR_SERVICE_ACCOUNT,
    expirationSeconds: TOKEN_SECONDS,
  };
  const token = await serviceAccountToken(controlPlane.access, subject);
  const kubeconfig = await controlPlane.createKubeconfig(name, token);
  const silence = String(heartbeatSeconds * SILENT_AFTER_HEARTBEATS);
  const args = ['--kubeconfig', kubeconfig, '--silence-timeout-seconds', silence, ...(running.operatorArguments ?? [])];
  await start(running, name, ['operator/main.ts', ...args]);
}

export async function startNodeDaemon(running: Programs, machine: Machine): Promise<void> {
  const { controlPlane, directory, heartbeatSeconds, virtualization } = running;
  const { name } = machine;
  await ensureNode(controlPlane, name);
  const subject = {
    namespace: SYSTEM_NAMESPACE,
    serviceAccount: NODE_DAEMON_SERVICE_ACCOUNT,
    expirationSeconds: TOKEN_SECONDS,
  };
  const token = await nodeBoundToken(controlPlane.access, { ...subject, node: name });
  const kubeconfig = await controlPlane.createKubeconfig(`node-daemon-${name}`, token);
  const args = [
    '--kubeconfig',
    kubeconfig,
    '--node-name',
    name,
    '--heartbeat-interval-seconds',
    String(heartbeatSeconds),
    ...guardArgs(running, name),
    '--state-directory',
    join(directory, 'state', name),
  ];
  await start(running, `node-daemon-${name}`, ['node-daemon/main.ts', ...args, ...driverArgs(machine, virtualization)]);
}

/** The guard of a machine, among the processes of that machine: guests of others may have the same uuid. */
export async function startGuard(running: Programs, machine: Machine): Promise<void> {
  const { name } = machine;
  const args = ['node-daemon/guard/main.ts', '--directory', guardDirectory(running, name)];
  if (machine.kind === 'simulated') return start(running, `guard-${name}`, args);
  const processes = `/proc/${await initPid(machine.host.process)}/root/proc`;
  const prefix = await enter(machine.host, '--pid');
  return start(running, `guard-${name}`, [...args, '--proc-directory', processes], prefix);
}

function guardArgs(running: Programs, machine: string): string[] {
  const { guardDeadlineSeconds } = running;
  if (guardDeadlineSeconds === undefined) return [];
  const directory = guardDirectory(running, machine);
  return ['--guard-directory', directory, '--guard-deadline-seconds', String(guardDeadlineSeconds)];
}

function guardDirectory({ directory }: Programs, machine: string): string {
  return join(directory, 'guards', machine);
}

function driverArgs(machine: Machine, virtualization: Programs['virtualization']): string[] {
  if (machine.kind === 'simulated') return ['--driver', 'simulated'];
  const { host, bootDirectory } = machine;
  return [
    '--libvirt-socket',
    host.socket,
    '--virtualization',
    virtualization,
    '--boot-directory',
    bootDirectory,
    '--console-directory',
    host.consoleDirectory,
    '--migration-address',
    migrationUriOf(host.network),
  ];
}

/** The token of a daemon carries the name of a Node object, so there has to be one. */
async function ensureNode({ access }: ControlPlane, name: string): Promise<void> {
  const body = { apiVersion: 'v1', kind: 'Node', metadata: { name } };
  await apiRequest(access, { method: 'POST', path: '/api/v1/nodes', body }).catch((error: unknown) => {
    if (!(error instanceof Error && error.message.includes('already exists'))) throw error;
  });
}

async function start(
  { programs, directory, lifetime }: Programs,
  name: string,
  args: string[],
  prefix: string[] = [],
): Promise<void> {
  const [command = process.execPath, ...all] = [...prefix, process.execPath, ...args];
  await programs.start({
    name,
    command,
    args: all,
    directory: REPOSITORY,
    environment: ENVIRONMENT,
    logFile: join(directory, 'logs', `${name}.log`),
    graceMilliseconds: 15_000,
    lifetime,
  });
}
