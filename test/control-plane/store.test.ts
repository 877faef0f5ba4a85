import type { Cluster } from '#runtime/kube/api-server/connect.ts';
import { describeStore } from '#runtime/kube/conformance/suite.ts';
import { describeControlPlane } from './harness.ts';
import { connectWithWidgets } from './widget-server.ts';

describeControlPlane('the store over an API server', (testCluster) => {
  let cluster: Cluster;
  before(async () => {
    cluster = await connectWithWidgets(testCluster.kubeconfig, 'conformance');
  });
  after(() => cluster.close());

  describeStore({
    name: 'over the API server',
    open: async () => ({ store: cluster.store, manager: 'conformance', namespace: testCluster.namespace }),
    pass: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  });
});
