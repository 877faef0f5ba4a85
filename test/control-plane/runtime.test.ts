// What runtime builds on Leases and Events, against the real thing: its validation, its conflicts, its kubectl.
import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { whenAborted } from '#runtime/clock/signals.ts';
import { systemClock, systemRandom } from '#runtime/clock/system.ts';
import { EventRecorder } from '#runtime/event/recorder.ts';
import { type Cluster, connectToCluster } from '#runtime/kube/api-server/connect.ts';
import type { KubeObject, ResourceType } from '#runtime/kube/resource.ts';
import { Heartbeat } from '#runtime/lease/heartbeat.ts';
import { LeaderElection } from '#runtime/lease/leader-election.ts';
import { LEASES } from '#runtime/lease/lease.ts';
import { silentLogger } from '#runtime/process/log.ts';
import { describeOwnControlPlane } from './harness.ts';

const CONFIG_MAPS: ResourceType<KubeObject> = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  namespaced: true,
};

describeOwnControlPlane('runtime on a real API server', { audit: false }, (cluster) => {
  let connected: Cluster | undefined;
  const world = { clock: systemClock, random: systemRandom, logger: silentLogger };
  const store = () => (connected ?? expect.fail('not connected')).store;

  before(async () => {
    connected = await connectToCluster({ kubeconfig: cluster.kubeconfig, userAgent: 'usher-test' });
  });

  after(async () => connected?.close());

  it('keeps a heartbeat, though somebody touches and deletes its lease', async () => {
    const key = { namespace: cluster.namespace, name: 'node-a' };
    const labels = { 'example.dev/component': 'daemon' };
    const heartbeat = new Heartbeat({ ...world, ...key, store: store(), holder: 'node-a', labels });
    await heartbeat.renew();
    await heartbeat.renew();
    await store().mergePatch(LEASES, key, { metadata: { annotations: { guard: 'armed' } } });
    await heartbeat.renew();
    expect((await store().get(LEASES, key)).metadata.annotations).to.deep.equal({ guard: 'armed' });
    await store().delete(LEASES, key);
    await heartbeat.renew();
    expect((await store().get(LEASES, key)).spec).to.include({ holderIdentity: 'node-a', leaseDurationSeconds: 40 });
    expect(heartbeat.isValid()).to.equal(true);
  });

  it('elects one leader and hands over without waiting for the lease to expire', async () => {
    const key = { namespace: cluster.namespace, name: 'leader' };
    const leaders: string[] = [];
    const candidate = (identity: string) => {
      const stop = new AbortController();
      const election = new LeaderElection({ ...world, ...key, store: store(), identity, retryMs: 200 });
      const onLeading = async () => {
        leaders.push(identity);
        await new Promise((resolve) => stop.signal.addEventListener('abort', resolve));
      };
      return { election, stop, stopped: election.run({ stop: stop.signal, onLeading }) };
    };
    const a = candidate('a');
    await waitFor(() => a.election.isLeading());
    const b = candidate('b');
    await delay(1000);
    expect([a.election.isLeading(), b.election.isLeading()]).to.deep.equal([true, false]);
    a.stop.abort();
    await a.stopped;
    await waitFor(() => b.election.isLeading());
    b.stop.abort();
    await b.stopped;
    expect(leaders).to.deep.equal(['a', 'b']);
    const { spec } = await store().get(LEASES, key);
    expect([spec?.holderIdentity, spec?.leaseTransitions]).to.deep.equal([undefined, 1]);
  });

  it('tells warnings that kubectl describe shows, once, with a count', async () => {
    const metadata = { namespace: cluster.namespace, name: 'told' };
    const object = await store().create(CONFIG_MAPS, { apiVersion: 'v1', kind: 'ConfigMap', metadata });
    for (const instance of ['one', 'two']) {
      const recorder = new EventRecorder({ ...world, store: store(), component: 'usher-operator', instance });
      recorder.warn(object, 'GuestVanished', 'The guest is gone.');
      await recorder.flush();
    }
    const args = [
      '--kubeconfig',
      cluster.kubeconfig,
      '--namespace',
      cluster.namespace,
      'describe',
      'configmap',
      'told',
    ];
    const { stdout } = await promisify(execFile)(cluster.controlPlane.kubectl, args);
    expect(stdout).to.match(/Warning +GuestVanished +\S+ \(x2 over \S+\) +usher-operator +The guest is gone\./);
  });

  it('steps down in an outage of the API server, and leads and lives again after it', async function () {
    this.timeout(60_000);
    const own = { ...world, store: store(), namespace: cluster.namespace };
    const times = { leaseDurationMs: 4000, renewDeadlineMs: 2500, retryMs: 200 };
    const election = new LeaderElection({ ...own, ...times, name: 'leader', identity: 'a' });
    const heartbeat = new Heartbeat({
      ...own,
      name: 'node-a',
      holder: 'node-a',
      intervalMs: 500,
      leaseDurationSeconds: 2,
    });
    const stop = new AbortController();
    const endings: string[] = [];
    const onLeading = async (leading: AbortSignal) => {
      await whenAborted(leading, stop.signal);
      endings.push(String(leading.reason));
    };
    const stopped = Promise.all([election.run({ stop: stop.signal, onLeading }), heartbeat.run(stop.signal)]);
    const well = () => election.isLeading() && heartbeat.isValid();
    await waitFor(well);
    await cluster.controlPlane.stopApiServer();
    await waitFor(() => !election.isLeading() && !heartbeat.isValid() && endings.length === 1);
    await cluster.controlPlane.startApiServer();
    await waitFor(well);
    stop.abort();
    await stopped;
    expect(endings[0]).to.match(/could not be renewed in time/);
  });
});

async function waitFor(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await delay(50);
  }
}
