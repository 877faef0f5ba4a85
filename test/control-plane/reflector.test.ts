import { readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { systemClock, systemRandom } from '#runtime/clock/system.ts';
import { type Cluster, connectToCluster } from '#runtime/kube/api-server/connect.ts';
import { type Widget, widgets } from '#runtime/kube/conformance/widget.ts';
import { refusal } from '#runtime/kube/conformance/workbench.ts';
import { silentLogger } from '#runtime/process/log.ts';
import { Reflector } from '#runtime/reflector/reflector.ts';
import { describeOwnControlPlane, type OwnTestCluster } from './harness.ts';
import { startSilentProxy } from './silent-proxy.ts';
import { connectWithWidgets } from './widget-server.ts';

/** A reflector of the test's widgets, and what it tells. */
class Observed {
  readonly told: string[] = [];
  readonly noted: { at: number; note: string }[] = [];
  readonly reflector: Reflector<Widget>;
  readonly #stop = new AbortController();
  readonly #run: Promise<void>;

  constructor({ store }: Cluster, namespace: string) {
    const note = (text: string): void => void this.noted.push({ at: performance.now(), note: text });
    this.reflector = new Reflector<Widget>({
      store,
      type: widgets,
      selection: { namespace },
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger,
      observer: {
        listed: (cause) => note(`listed (${cause})`),
        failed: (reason) => note(`failed ${reason}`),
        watchDied: () => note('died'),
      },
    });
    this.reflector.onChange(({ type, object }) => void this.told.push(`${type} ${object.metadata.name}`));
    this.#run = this.reflector.run(this.#stop.signal);
  }

  async untilTold(change: string): Promise<void> {
    while (!this.told.includes(change)) {
      await sleep(20);
    }
  }

  timeOf(wanted: string): number {
    return this.noted.find(({ note }) => note === wanted)?.at ?? Number.NaN;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#run;
  }
}

describeOwnControlPlane('a reflector of a real API server', {}, (testCluster) => {
  let cluster: Cluster;
  const open: (() => Promise<void>)[] = [];
  before(async () => {
    cluster = await connectWithWidgets(testCluster.kubeconfig, 'reflector-test');
    open.push(() => cluster.close());
  });
  afterEach(async () => {
    await Promise.all(open.splice(1).map((close) => close()));
  });
  after(() => Promise.all(open.map((close) => close())));

  function observe(through: Cluster): Observed {
    const observed = new Observed(through, testCluster.namespace);
    open.push(() => observed.stop());
    return observed;
  }

  async function createWidget(name: string): Promise<Widget> {
    const { apiVersion, kind } = widgets;
    const metadata = { name, namespace: testCluster.namespace };
    return cluster.store.create(widgets, { apiVersion, kind, metadata, spec: {} });
  }

  it('is back within 5 seconds of a server that was killed, and has lost nothing', async function () {
    this.timeout(90_000);
    await createWidget('before');
    const observed = observe(cluster);
    await observed.reflector.synced();
    await killApiServer(testCluster);
    await sleep(12_000);
    await testCluster.controlPlane.startApiServer();
    const ready = performance.now();
    await createWidget('after');
    await cluster.store.delete(widgets, { namespace: testCluster.namespace, name: 'before' });
    await observed.untilTold('added after');
    await observed.untilTold('deleted before');
    expect(performance.now() - ready).to.be.below(5000);
    expect(observed.told).to.have.members(['added before', 'added after', 'deleted before']);
    const tries = observed.noted.filter(({ note }) => note === 'failed Unreachable').length;
    expect(tries).to.be.within(3, 12);
  });

  it('finds within 35 seconds that a watch has fallen silent, and goes on', async function () {
    this.timeout(90_000);
    const { port, hostname } = new URL(testCluster.controlPlane.url);
    const proxy = await startSilentProxy({ host: hostname, port: Number(port) });
    const throughProxy = await connectThrough(testCluster, proxy.port);
    open.push(
      () => proxy.stop(),
      () => throughProxy.close(),
    );
    const observed = observe(throughProxy);
    await observed.reflector.synced();
    await createWidget('heard');
    await observed.untilTold('added heard');
    proxy.silence();
    const silent = performance.now();
    await createWidget('unheard');
    await observed.untilTold('added unheard');
    expect(observed.timeOf('died') - silent).to.be.below(35_500);
    expect(performance.now() - silent).to.be.below(38_000);
    expect(observed.noted.map(({ note }) => note)).to.not.include('listed (gone)');
  });

  it('keeps its connections for the watches that come after one that has ended', async function () {
    this.timeout(30_000);
    const { resourceVersion } = await cluster.store.list(widgets, { limit: 1 });
    const { signal } = new AbortController();
    const before = await connectionsTo(testCluster);
    for (let count = 0; count < 6; count += 1) {
      for await (const event of cluster.store.watch(widgets, { resourceVersion, timeoutSeconds: 1, signal })) {
        expect(event.type).to.be.a('string');
      }
    }
    expect((await connectionsTo(testCluster)) - before).to.be.at.most(2);
  });

  it('is told that a continue token has expired once etcd has forgotten its moment', async () => {
    await createWidget('a');
    await createWidget('b');
    const page = await cluster.store.list(widgets, { namespace: testCluster.namespace, limit: 1 });
    const token: object = JSON.parse(Buffer.from(page.continue ?? '', 'base64url').toString());
    const outdated = Buffer.from(JSON.stringify({ ...token, rv: 2 })).toString('base64url');
    await compactEtcd(testCluster, Number(page.resourceVersion));
    await refusal(cluster.store.list(widgets, { limit: 1, continue: outdated }), 'Gone');
  });
});

async function killApiServer({ controlPlane }: OwnTestCluster): Promise<void> {
  process.kill(controlPlane.pids()['kube-apiserver'] ?? 0, 'SIGKILL');
  await controlPlane.stopApiServer();
}

async function connectThrough({ controlPlane }: OwnTestCluster, port: number): Promise<Cluster> {
  const kubeconfig = join(controlPlane.directory, 'proxied.kubeconfig');
  const text = await readFile(controlPlane.adminKubeconfig, 'utf8');
  const { port: direct } = new URL(controlPlane.url);
  await writeFile(kubeconfig, text.replaceAll(`:${direct}`, `:${port}`));
  return connectToCluster({ kubeconfig, userAgent: 'reflector-test/1' });
}

/** How many connections there are to the API server, those included that were closed in the last minute. */
async function connectionsTo({ controlPlane }: OwnTestCluster): Promise<number> {
  const port = Number(new URL(controlPlane.url).port).toString(16).toUpperCase().padStart(4, '0');
  const table = await readFile('/proc/net/tcp', 'utf8');
  return table.split('\n').filter((line) => line.split(/\s+/)[3]?.endsWith(`:${port}`)).length;
}

async function compactEtcd({ controlPlane }: OwnTestCluster, revision: number): Promise<void> {
  const socketPath = join(controlPlane.directory, 'etcd.sock');
  await new Promise((resolve, reject) => {
    const call = request({ socketPath, path: '/v3/kv/compaction', method: 'POST' }, (answer) => {
      answer.resume().on('end', resolve);
    });
    call.on('error', reject).end(JSON.stringify({ revision, physical: true }));
  });
}
