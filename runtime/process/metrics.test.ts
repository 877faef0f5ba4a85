import { expect } from 'chai';
import { metricFaults } from '#test/metric-names.ts';
import { VirtualClock } from '../clock/virtual.ts';
import { MemoryApiServer } from '../kube/memory/server.ts';
import { LEASES } from '../lease/lease.ts';
import { meteredStore } from './metered-store.ts';
import { controllerMetrics, createMetrics, leaderMetrics, reflectorMetrics, storeMetrics } from './metrics.ts';

function everything() {
  const registry = createMetrics();
  return {
    registry,
    controllers: controllerMetrics(registry),
    reflectors: reflectorMetrics(registry),
    store: storeMetrics(registry),
    leader: leaderMetrics(registry),
  };
}

describe('the metrics', () => {
  it('are named by the rules of Prometheus', () => {
    const ours = everything()
      .registry.getMetricsAsArray()
      .filter(({ name }) => !/^(process|nodejs)_/.test(name));
    expect(ours.length).to.be.greaterThan(10);
    expect(ours.flatMap((metric) => metricFaults({ ...metric, type: String(metric.type) }))).to.deep.equal([]);
  });

  it('count what controllers do', async () => {
    const { registry, controllers } = everything();
    const observer = controllers('virtual-machine');
    observer.added?.(3);
    observer.taken?.(250, 2);
    observer.retried?.();
    observer.reconciled?.('conflict', 0.2);
    const text = await registry.metrics();
    expect(text).to.include('usher_workqueue_depth{controller="virtual-machine"} 2');
    expect(text).to.include('usher_workqueue_wait_seconds_bucket{le="0.25",controller="virtual-machine"} 1');
    expect(text).to.include('usher_workqueue_retries_total{controller="virtual-machine"} 1');
    expect(text).to.include('usher_reconcile_total{controller="virtual-machine",outcome="conflict"} 1');
  });

  it('count what reflectors do', async () => {
    const { registry, reflectors } = everything();
    const observer = reflectors('VirtualMachine');
    observer.listed?.('gone', 12, 1500);
    observer.eventReceived?.('BOOKMARK');
    observer.failed?.('Unreachable', 'It is not there.');
    observer.watchDied?.();
    const text = await registry.metrics();
    expect(text).to.include('usher_reflector_lists_total{kind="VirtualMachine",cause="gone"} 1');
    expect(text).to.include('usher_reflector_list_seconds_sum{kind="VirtualMachine"} 1.5');
    expect(text).to.include('usher_reflector_events_total{kind="VirtualMachine",type="BOOKMARK"} 1');
    expect(text).to.include('usher_reflector_failures_total{kind="VirtualMachine",reason="Unreachable"} 1');
    expect(text).to.include('usher_reflector_dead_watches_total{kind="VirtualMachine"} 1');
  });

  it('tell who leads', async () => {
    const { registry, leader } = everything();
    leader.leading(true);
    expect(await registry.metrics()).to.match(/^usher_leader 1$/m);
  });
});

describe('a metered store', () => {
  it('counts and times its requests by outcome, and answers as the store does', async () => {
    const { registry, store: observer } = everything();
    const clock = new VirtualClock();
    const server = new MemoryApiServer({ clock, random: Math.random }).serve({ type: LEASES });
    const store = meteredStore(server.asUser('test'), clock, observer);
    const key = { namespace: 'default', name: 'one' };
    server.faults.add({ answerDelay: () => 40 });
    const missing = store.get(LEASES, key).catch(String);
    await clock.advance(40);
    expect(await missing).to.match(/not found/i);
    const { apiVersion, kind } = LEASES;
    const made = await store.create(LEASES, { apiVersion, kind, metadata: key });
    expect(made.metadata.name).to.equal('one');
    const text = await registry.metrics();
    expect(text).to.include('usher_store_requests_total{verb="get",kind="Lease",outcome="NotFound"} 1');
    expect(text).to.include('usher_store_requests_total{verb="create",kind="Lease",outcome="Ok"} 1');
    expect(text).to.include('usher_store_request_seconds_bucket{le="0.025",verb="get",kind="Lease"} 0');
    expect(text).to.include('usher_store_request_seconds_bucket{le="0.05",verb="get",kind="Lease"} 1');
  });
});

describe('the rules for the names of metrics', () => {
  const good = { name: 'usher_reconcile_seconds', help: 'How long it took.', type: 'histogram' };

  it('accept what is right', () => {
    expect(metricFaults(good)).to.deep.equal([]);
    expect(metricFaults({ ...good, name: 'usher_guests_total', type: 'counter' })).to.deep.equal([]);
    expect(metricFaults({ ...good, name: 'usher_guests', type: 'gauge' })).to.deep.equal([]);
  });

  const wrong = [
    { change: { name: 'guest_seconds' }, says: /usher_/ },
    { change: { name: 'usher_Guest_seconds' }, says: /snake_case/ },
    { change: { help: '' }, says: /help text/ },
    { change: { name: 'usher_guests', type: 'counter' }, says: /_total/ },
    { change: { name: 'usher_guests_total', type: 'gauge' }, says: /_total/ },
    { change: { name: 'usher_reconcile' }, says: /base unit/ },
    { change: { name: 'usher_wait_milliseconds', type: 'gauge' }, says: /seconds, bytes, ratio/ },
    { change: { name: 'usher_guest_count', type: 'gauge' }, says: /_count/ },
  ];
  for (const { change, says } of wrong) {
    it(`refuse ${JSON.stringify(change)}`, () => {
      expect(metricFaults({ ...good, ...change }).join('\n')).to.match(says);
    });
  }
});
