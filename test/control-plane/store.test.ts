import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { apiRequest } from '#hack/control-plane/api-request.ts';
import { serviceAccountToken } from '#hack/control-plane/service-account-token.ts';
import { systemClock } from '#runtime/clock/system.ts';
import type { Cluster } from '#runtime/kube/api-server/connect.ts';
import { Connection } from '#runtime/kube/api-server/connection.ts';
import { accessOfPod } from '#runtime/kube/api-server/in-cluster.ts';
import { ApiServerStore } from '#runtime/kube/api-server/store.ts';
import { expectSame, histories, play } from '#runtime/kube/conformance/history.ts';
import { memoryUnderTest } from '#runtime/kube/conformance/in-memory.ts';
import type { StoreUnderTest } from '#runtime/kube/conformance/subject.ts';
import { describeStore } from '#runtime/kube/conformance/suite.ts';
import { widgets } from '#runtime/kube/conformance/widget.ts';
import { refusal, Workbench } from '#runtime/kube/conformance/workbench.ts';
import { describeControlPlane } from './harness.ts';
import { connectWithWidgets } from './widget-server.ts';

const HISTORIES = 40;

describeControlPlane('the store over an API server', (testCluster) => {
  let cluster: Cluster;
  before(async () => {
    cluster = await connectWithWidgets(testCluster.kubeconfig, 'conformance');
  });
  after(() => cluster.close());

  const subject: StoreUnderTest = {
    name: 'over the API server',
    open: async () => ({ store: cluster.store, manager: 'conformance', namespace: testCluster.namespace }),
    pass: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  };

  describeStore(subject);

  it('knows who is asking from the files that kubelet gives a pod', async () => {
    const { access, namespace } = testCluster;
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts`;
    await apiRequest(access, { method: 'POST', path, body: { metadata: { name: 'pod' } } });
    const folder = await mkdtemp(join(tmpdir(), 'usher-pod-'));
    await writeFile(
      join(folder, 'token'),
      `${await serviceAccountToken(access, { namespace, serviceAccount: 'pod' })}\n`,
    );
    await writeFile(join(folder, 'ca.crt'), String(access.tls.ca));
    const { hostname: host, port } = new URL(cluster.server);
    const connection = new Connection({
      access: accessOfPod({ host, port }, folder),
      clock: systemClock,
      userAgent: 'pod/1',
    });
    try {
      const { message } = await refusal(new ApiServerStore(connection).list(widgets), 'Forbidden');
      expect(message).to.contain(`"system:serviceaccount:${namespace}:pod"`);
    } finally {
      await connection.close();
      await rm(folder, { recursive: true });
    }
  });

  it('tells of random histories what the model in memory tells', async function () {
    this.timeout(HISTORIES * 5000);
    await fc.assert(
      fc.asyncProperty(histories, async (history) => {
        const [real, model] = [new Workbench(subject), new Workbench(memoryUnderTest())];
        await Promise.all([real.open(), model.open()]);
        try {
          const [told, expected] = await Promise.all([play(real, history), play(model, history)]);
          expectSame(told, expected);
        } finally {
          await clear(real);
          await Promise.all([real.close(), model.close()]);
        }
      }),
      { numRuns: HISTORIES },
    );
  });
});

async function clear({ store, namespace }: Workbench): Promise<void> {
  const { items } = await store.list(widgets, { namespace });
  for (const { metadata } of items) {
    const key = { namespace, name: metadata.name };
    await store.delete(widgets, key);
    await store.mergePatch(widgets, key, { metadata: { finalizers: null } }).catch(() => undefined);
  }
}
