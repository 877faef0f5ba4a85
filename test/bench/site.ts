// A control plane with Usher's API, rights and admission; the operator as it is shipped; daemons of simulated machines.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findCondition } from '#crds/conditions.ts';
import { hypervisorResource, virtualMachineResource } from '#crds/v1alpha1/kinds.ts';
import {
  NODE_DAEMON_SERVICE_ACCOUNT,
  OPERATOR_SERVICE_ACCOUNT,
  SYSTEM_NAMESPACE,
  VM_FINALIZER,
} from '#crds/v1alpha1/names.ts';
import { apiRequest } from '#hack/control-plane/api-request.ts';
import { type ControlPlane, startControlPlane } from '#hack/control-plane/control-plane.ts';
import { temporaryDirectory } from '#hack/control-plane/directory.ts';
import { nodeBoundToken, serviceAccountToken } from '#hack/control-plane/service-account-token.ts';
import { ProcessGroup } from '#hack/process-group.ts';
import { REPOSITORY } from '#hack/repository.ts';
import { installUsher } from '#hack/site/install.ts';
import { startOperator } from '#hack/site/programs.ts';
import { until } from '#hack/until.ts';
import { connectToCluster } from '#runtime/kube/api-server/connect.ts';
import type { KubeObject } from '#runtime/kube/resource.ts';
import type { KubeStore } from '#runtime/kube/store.ts';
import { atATime, machine, NAMESPACE } from './machines.ts';
import type { NodeAccess } from './simulated-nodes.ts';
import { Turns } from './turns.ts';

export type Subject = { readonly kind: 'operator' } | { readonly kind: 'daemon'; readonly node: string };

const HEARTBEAT_SECONDS = 10;
const TOKEN_SECONDS = 3600;

export class BenchSite {
  readonly directory: string;
  readonly controlPlane: ControlPlane;
  readonly programs: ProcessGroup;
  /** The administrator, who is also whoever creates VirtualMachines. */
  readonly user: KubeStore;

  constructor(parts: Pick<BenchSite, 'directory' | 'controlPlane' | 'programs' | 'user'>) {
    this.directory = parts.directory;
    this.controlPlane = parts.controlPlane;
    this.programs = parts.programs;
    this.user = parts.user;
  }

  /** Returns when every machine takes VMs. */
  async startUsher(nodes: number): Promise<void> {
    await this.startOperator();
    const names = nodeNames(nodes);
    const accesses: NodeAccess[] = [];
    await atATime(names, async (name) => {
      accesses.push({ name, kubeconfig: await this.#kubeconfigOf({ kind: 'daemon', node: name }) });
    });
    const file = join(this.directory, 'nodes.json');
    await writeFile(file, JSON.stringify(accesses));
    await this.#start('simulated-nodes', ['test/bench/simulated-nodes.ts', file]);
    await this.untilOpen(nodes);
  }

  async startOperator(): Promise<void> {
    const { controlPlane, programs, directory } = this;
    const running = { controlPlane, programs, directory, heartbeatSeconds: HEARTBEAT_SECONDS } as const;
    await startOperator({ ...running, lifetime: 'parent', virtualization: 'qemu' }, 'operator');
  }

  async untilOpen(nodes: number): Promise<void> {
    await until(`${nodes} machines take VMs`, 120, async () => {
      // A new API server may answer that it is not ready for a kind yet.
      const page = await this.user.list(hypervisorResource).catch(() => undefined);
      const open = (page?.items ?? []).filter(
        ({ status }) => findCondition(status?.conditions, 'Schedulable')?.status === 'True',
      );
      return open.length === nodes;
    });
  }

  async stopUsher(): Promise<void> {
    await this.programs.stopAll();
  }

  /** A store with the rights of one of Usher's programs. */
  async storeAs(subject: Subject): Promise<KubeStore> {
    const kubeconfig = await this.#kubeconfigOf(subject);
    return (await connectToCluster({ kubeconfig, userAgent: 'usher-bench' })).store;
  }

  pidOf(program: 'operator' | 'simulated-nodes' | 'kube-apiserver' | 'etcd'): number {
    const pid = { ...this.controlPlane.pids(), ...this.programs.pids() }[program];
    if (pid === undefined) throw new Error(`${program} does not run`);
    return pid;
  }

  async stop(): Promise<void> {
    await this.programs.stopAll();
    await this.controlPlane.stop();
    await rm(this.directory, { recursive: true, force: true });
  }

  async #kubeconfigOf(subject: Subject): Promise<string> {
    const { access } = this.controlPlane;
    if (subject.kind === 'operator') {
      const token = await serviceAccountToken(access, tokenOf(OPERATOR_SERVICE_ACCOUNT));
      return this.controlPlane.createKubeconfig('bench-operator', token);
    }
    const { node } = subject;
    const body = { apiVersion: 'v1', kind: 'Node', metadata: { name: node } };
    await this.user.create<KubeObject>(NODES, body).catch(() => undefined); // it may be there from an earlier start
    const token = await nodeBoundToken(access, { ...tokenOf(NODE_DAEMON_SERVICE_ACCOUNT), node });
    return this.controlPlane.createKubeconfig(`bench-${node}`, token);
  }

  async #start(name: string, args: string[]): Promise<void> {
    await this.programs.start({
      name,
      command: process.execPath,
      args,
      directory: REPOSITORY,
      logFile: join(this.directory, 'logs', `${name}.log`),
      graceMilliseconds: 15_000,
      lifetime: 'parent',
    });
  }
}

const NODES = { apiVersion: 'v1', kind: 'Node', plural: 'nodes', namespaced: false } as const;

function tokenOf(serviceAccount: string) {
  return { namespace: SYSTEM_NAMESPACE, serviceAccount, expirationSeconds: TOKEN_SECONDS };
}

function nodeNames(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `hv${String(index + 1).padStart(3, '0')}`);
}

/** Nothing of Usher runs in it yet. Where speed is measured it is without an audit log, which is work of its own. */
async function startBenchSite({ audit }: { readonly audit: boolean }): Promise<BenchSite> {
  const directory = await temporaryDirectory();
  await mkdir(join(directory, 'logs'), { recursive: true });
  const controlPlane = await startControlPlane({ directory: join(directory, 'control-plane'), audit });
  const kubeconfig = controlPlane.adminKubeconfig;
  const { store } = await connectToCluster({ kubeconfig, userAgent: 'usher-bench' });
  const site = new BenchSite({ directory, controlPlane, programs: new ProcessGroup(directory), user: store });
  try {
    await installUsher(controlPlane, () => undefined);
    await untilAdmissionIsInForce(controlPlane);
    return site;
  } catch (error) {
    await site.stop();
    throw error;
  }
}

/** Runs `measure` on a site of its own, and takes that away however it ends. */
export async function withSite<T>(
  { audit, turns = new Turns() }: { readonly audit: boolean; readonly turns?: Turns },
  measure: (site: BenchSite) => Promise<T>,
): Promise<T> {
  const site = await turns.during('Start', async () => startBenchSite({ audit }));
  try {
    return await measure(site);
  } finally {
    await site.stop();
  }
}

/** A new API server takes some seconds to put admission policies in force. */
async function untilAdmissionIsInForce({ access }: ControlPlane): Promise<void> {
  const path = `/apis/${machine('probe').apiVersion}/namespaces/${NAMESPACE}/${virtualMachineResource.plural}?dryRun=All`;
  await until('the admission policies are in force', 60, async () => {
    const answer = apiRequest<KubeObject>(access, { method: 'POST', path, body: machine('probe') });
    const finalizers = await answer.then(({ metadata }) => metadata.finalizers).catch(() => undefined);
    return finalizers?.includes(VM_FINALIZER) === true;
  });
}
