import fc from 'fast-check';
import type { Cluster } from '#runtime/kube/api-server/connect.ts';
import { expectSame, histories, play } from '#runtime/kube/conformance/history.ts';
import { memoryUnderTest } from '#runtime/kube/conformance/in-memory.ts';
import type { StoreUnderTest } from '#runtime/kube/conformance/subject.ts';
import { describeStore } from '#runtime/kube/conformance/suite.ts';
import { widgets } from '#runtime/kube/conformance/widget.ts';
import { Workbench } from '#runtime/kube/conformance/workbench.ts';
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
