import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { apiRequest, isReady, tokenAccess } from '#hack/control-plane/api-request.ts';
import { startControlPlane } from '#hack/control-plane/control-plane.ts';
import { nodeBoundToken, serviceAccountToken } from '#hack/control-plane/service-account-token.ts';
import { describeControlPlane, describeOwnControlPlane, type TestCluster } from './harness.ts';

interface Created {
  metadata: { name: string; annotations?: Record<string, string> };
}

function create(cluster: TestCluster, path: string, body: object): Promise<Created> {
  return apiRequest<Created>(cluster.access, { method: 'POST', path, body });
}

async function createServiceAccount(cluster: TestCluster, name: string): Promise<void> {
  await create(cluster, `/api/v1/namespaces/${cluster.namespace}/serviceaccounts`, { metadata: { name } });
}

function claimsOf(token: string): Record<string, { node?: { name: string } }> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as ReturnType<typeof claimsOf>;
}

describeControlPlane('a shared control plane', (cluster) => {
  it('serves over TLS and refuses whoever has no right', async () => {
    await createServiceAccount(cluster, 'nobody');
    const { namespace } = cluster;
    const token = await serviceAccountToken(cluster.access, { namespace, serviceAccount: 'nobody' });
    const nobody = { ...cluster.access, headers: { authorization: `Bearer ${token}` } };
    const listing = apiRequest(nobody, { method: 'GET', path: `/api/v1/namespaces/${namespace}/secrets` });
    const refusal = await listing.then(String, (error: Error) => error.message);
    expect(refusal).to.contain(`403 secrets is forbidden: User "system:serviceaccount:${namespace}:nobody"`);
  });

  it('gives tokens that are bound to a node', async () => {
    const node = `${cluster.namespace}-node`;
    await create(cluster, '/api/v1/nodes', { metadata: { name: node } });
    await createServiceAccount(cluster, 'daemon');
    const { namespace } = cluster;
    const token = await nodeBoundToken(cluster.access, { namespace, serviceAccount: 'daemon', node });
    expect(claimsOf(token)['kubernetes.io']?.node?.name).to.equal(node);
  });

  it('applies a mutating admission policy without a webhook', async () => {
    const name = cluster.namespace;
    const admission = '/apis/admissionregistration.k8s.io/v1';
    await create(cluster, `${admission}/mutatingadmissionpolicies`, stampingPolicy(name));
    await create(cluster, `${admission}/mutatingadmissionpolicybindings`, {
      metadata: { name },
      spec: { policyName: name },
    });
    await eventually(async () => {
      const path = `/api/v1/namespaces/${cluster.namespace}/configmaps`;
      const made = await create(cluster, path, { metadata: { generateName: 'stamped-' } });
      expect(made.metadata.annotations).to.have.property('requester').that.is.not.empty;
    });
  });

  it('deletes what a deleted namespace holds', async () => {
    const name = `${cluster.namespace}-gone`;
    await create(cluster, '/api/v1/namespaces', { metadata: { name } });
    await apiRequest(cluster.access, { method: 'DELETE', path: `/api/v1/namespaces/${name}` });
    await eventually(async () => {
      const reading = apiRequest(cluster.access, { method: 'GET', path: `/api/v1/namespaces/${name}` });
      expect(await reading.then(String, (error: Error) => error.message)).to.contain('404');
    });
  });
});

describeOwnControlPlane('a control plane of its own', {}, (cluster) => {
  it('keeps data, certificates and tokens when its API server starts again', async () => {
    await cluster.controlPlane.stopApiServer();
    expect(await isReady(cluster.access)).to.equal(false);
    await cluster.controlPlane.startApiServer();
    const path = `/api/v1/namespaces/${cluster.namespace}`;
    const kept = await apiRequest<Created>(cluster.access, { method: 'GET', path });
    expect(kept.metadata.name).to.equal(cluster.namespace);
  }).timeout(60_000);

  it('writes every answered request to the audit log, with its user and without its body', async () => {
    const { controlPlane, namespace } = cluster;
    await create(cluster, `/api/v1/namespaces/${namespace}/configmaps`, {
      metadata: { name: 'seen' },
      data: { a: 'b' },
    });
    const lines = (await readFile(controlPlane.auditLog, 'utf8')).split('\n');
    const events = lines.filter((line) => line.includes(`/namespaces/${namespace}/configmaps`));
    expect(events.map((line) => JSON.parse(line) as object)).to.have.lengthOf(1);
    expect(JSON.parse(events[0] ?? '{}')).to.include({ stage: 'ResponseComplete', verb: 'create', level: 'Metadata' });
  });

  it('can be talked to by kubectl as another user', async () => {
    const { controlPlane, namespace } = cluster;
    await createServiceAccount(cluster, 'guest');
    const token = await serviceAccountToken(cluster.access, { namespace, serviceAccount: 'guest' });
    const kubeconfig = await controlPlane.createKubeconfig('guest', token);
    const { stdout } = await promisify(execFile)(controlPlane.kubectl, ['--kubeconfig', kubeconfig, 'auth', 'whoami']);
    expect(stdout).to.contain(`system:serviceaccount:${namespace}:guest`);
  });

  it('trusts only its own authority', async () => {
    const other = await startControlPlane();
    const ca = await readFile(cluster.controlPlane.caFile, 'utf8');
    expect(await isReady(tokenAccess(other.url, ca, other.adminToken))).to.equal(false);
    expect(await isReady(other.access)).to.equal(true);
    await other.stop();
  }).timeout(60_000);
});

function stampingPolicy(name: string): object {
  const expression = 'Object{metadata: Object.metadata{annotations: {"requester": request.userInfo.username}}}';
  return {
    metadata: { name },
    spec: {
      failurePolicy: 'Fail',
      reinvocationPolicy: 'Never',
      matchConstraints: {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } },
        resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'], operations: ['CREATE'] }],
      },
      mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression } }],
    },
  };
}

async function eventually(check: () => Promise<void>): Promise<void> {
  const deadline = performance.now() + 8_000;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}
