// Suites on a real API server: one control plane for the whole mocha process, started by the first suite that needs it,
// and a namespace of its own for every test.

import type { Context } from 'mocha';
import { type ApiAccess, apiRequest } from '#hack/control-plane/api-request.ts';
import { ControlPlaneUnavailable } from '#hack/control-plane/binaries.ts';
import { type ControlPlane, type ControlPlaneOptions, startControlPlane } from '#hack/control-plane/control-plane.ts';
import { kubeconfigAccess } from '#hack/control-plane/kubeconfig-access.ts';
import { ran } from '../runner/capabilities.ts';
import { skip } from '../runner/skip.ts';

/** Readable in tests and in their hooks, not while suites are being defined. */
export interface TestCluster {
  /** Of an administrator. */
  readonly kubeconfig: string;
  readonly access: ApiAccess;
  /** Made for the current test; its deletion is begun after it. */
  readonly namespace: string;
}

/** With an instance of its own, which a test may stop, restart and look into. */
export interface OwnTestCluster extends TestCluster {
  readonly controlPlane: ControlPlane;
}

type Reached = Pick<TestCluster, 'kubeconfig' | 'access'> & { readonly controlPlane?: ControlPlane };

const EXISTING = process.env['USHER_TEST_KUBECONFIG'];
let shared: Promise<Reached> | undefined;
let namespaces = 0;

/**
 * Defines a suite of tests that need a real API server with its controllers: the cluster of USHER_TEST_KUBECONFIG where
 * that is set, else an instance that all such suites of the process share and that ends with it. Where none can be had,
 * the tests are skipped with the reason.
 */
export function describeControlPlane(title: string, define: (cluster: TestCluster) => void): void {
  describeReached(title, sharedCluster, define);
}

/**
 * As `describeControlPlane`, with a control plane for this suite alone, started as `options` say and stopped after its
 * last test. Skipped where tests run against an existing cluster.
 */
export function describeOwnControlPlane(
  title: string,
  options: ControlPlaneOptions,
  define: (cluster: OwnTestCluster) => void,
): void {
  let own: ControlPlane | undefined;
  const start = async (): Promise<Reached> => {
    own = await startOwn(options);
    return reached(own);
  };
  describeReached(title, start, (cluster) => {
    after(() => own?.stop());
    define(cluster);
  });
}

function describeReached(
  title: string,
  reach: () => Promise<Reached>,
  define: (cluster: OwnTestCluster) => void,
): void {
  describe(title, () => {
    let current: Reached | undefined;
    let namespace: string | undefined;
    before(async function () {
      this.timeout(0); // may have to build the control plane first
      current = await reach().catch((error: unknown) => skipUnlessBroken(this, error));
    });
    beforeEach(async () => {
      namespace = await createNamespace((current ?? notYet()).access);
      ran('control-plane');
    });
    afterEach(async () => {
      const left = namespace;
      namespace = undefined;
      if (current !== undefined && left !== undefined) await deleteNamespace(current, left);
    });
    define(view(
      () => current,
      () => namespace,
    ));
  });
}

function view(current: () => Reached | undefined, namespace: () => string | undefined): OwnTestCluster {
  return {
    get kubeconfig() {
      return (current() ?? notYet()).kubeconfig;
    },
    get access() {
      return (current() ?? notYet()).access;
    },
    get controlPlane() {
      return current()?.controlPlane ?? notYet();
    },
    get namespace() {
      return namespace() ?? notYet();
    },
  };
}

/** A machine without a control plane skips; a control plane that does not start is a failure. */
function skipUnlessBroken(context: Context, error: unknown): never {
  if (error instanceof ControlPlaneUnavailable) skip(context, error.message);
  throw error;
}

function sharedCluster(): Promise<Reached> {
  shared ??= EXISTING ? reachExisting(EXISTING) : startControlPlane({ controllerManager: true }).then(reached);
  return shared;
}

async function reachExisting(kubeconfig: string): Promise<Reached> {
  return { kubeconfig, access: await kubeconfigAccess(kubeconfig) };
}

async function startOwn(options: ControlPlaneOptions): Promise<ControlPlane> {
  if (!EXISTING) return startControlPlane(options);
  throw new ControlPlaneUnavailable('needs a control plane of its own, and USHER_TEST_KUBECONFIG gives a shared one');
}

function reached(controlPlane: ControlPlane): Reached {
  return { kubeconfig: controlPlane.adminKubeconfig, access: controlPlane.access, controlPlane };
}

async function createNamespace(access: ApiAccess): Promise<string> {
  namespaces += 1;
  const name = `test-${process.pid}-${namespaces}-${Date.now().toString(36)}`;
  const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
  await apiRequest(access, { method: 'POST', path: '/api/v1/namespaces', body });
  return name;
}

/** Not where the suite's own control plane is about to go, perhaps stopped by the test already. */
async function deleteNamespace(cluster: Reached, name: string): Promise<void> {
  if (cluster.controlPlane !== undefined && cluster !== (await shared)) return;
  await apiRequest(cluster.access, { method: 'DELETE', path: `/api/v1/namespaces/${name}` });
}

function notYet(): never {
  throw new Error('the control plane is there only in tests and in their hooks');
}
