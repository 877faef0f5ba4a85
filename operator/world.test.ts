import { expect } from 'chai';
import { hypervisorResource, virtualMachineResource } from '#crds/v1alpha1/kinds.ts';
import { HEARTBEAT_LABEL, heartbeatLeaseName, REQUESTER_ANNOTATION, SYSTEM_NAMESPACE } from '#crds/v1alpha1/names.ts';
import { VirtualClock } from '#runtime/clock/virtual.ts';
import { MemoryApiServer } from '#runtime/kube/memory/server.ts';
import { LEASES } from '#runtime/lease/lease.ts';
import { silentLogger } from '#runtime/process/log.ts';
import { newMachine } from '#test/builders/virtual-machine.ts';
import { World } from './world.ts';

const TIMEOUT = 40_000;
const LEASE = { apiVersion: LEASES.apiVersion, kind: LEASES.kind };

function world(clock: VirtualClock) {
  const api = new MemoryApiServer({ clock, random: Math.random });
  api.serve({ type: LEASES }).serve({ type: hypervisorResource }).serve({ type: virtualMachineResource });
  const store = api.asUser('operator');
  const listening = {
    store,
    clock,
    random: Math.random,
    logger: silentLogger,
    onWentBack: () => undefined,
    silenceTimeoutMs: TIMEOUT,
  };
  return { api, world: new World(listening) };
}

describe('what an operator keeps of a VM', () => {
  it('are our own annotations alone, from the list and from the watch', async () => {
    const clock = new VirtualClock();
    const { api, world: heard } = world(clock);
    const { status: _, ...made } = newMachine();
    const annotations = { [REQUESTER_ANNOTATION]: 'adele', 'example.org/notes': 'x'.repeat(1_000) };
    const create = async (name: string) => {
      const metadata = { name, namespace: 'team', annotations };
      await api.asUser('adele').create(virtualMachineResource, { ...made, metadata });
    };
    await create('listed');
    const ended = new AbortController();
    const running = heard.run(ended.signal);
    await clock.advance(100);
    await create('watched');
    await clock.advance(100);
    const kept = heard.machines.cache.list().map(({ metadata }) => metadata.annotations);
    const ours = { [REQUESTER_ANNOTATION]: 'adele' };
    expect(kept).to.deep.equal([ours, ours]);
    ended.abort();
    await Promise.all([running, clock.advance(60_000)]);
  });
});

describe('what an operator hears', () => {
  it('of a hypervisor is what its own Lease says, whatever name another Lease bears', async () => {
    const clock = new VirtualClock();
    const { api, world: heard } = world(clock);
    const ended = new AbortController();
    const running = heard.run(ended.signal);
    const silent = (hypervisor: string) => heard.heartbeats.silentFor(hypervisor, clock.monotonic()) !== undefined;
    const beat = async (owner: string, label: string) => {
      const names = { namespace: SYSTEM_NAMESPACE, name: heartbeatLeaseName(owner) };
      const metadata = { ...names, labels: { [HEARTBEAT_LABEL]: label } };
      const lease = { ...LEASE, metadata, spec: { renewTime: `at ${clock.monotonic()}` } };
      await api.asUser(owner).apply(LEASES, lease, { fieldManager: owner });
    };
    for (let beats = 0; beats < 10; beats++) {
      await beat('hv1', 'hv2');
      await beat('hv3', 'hv3');
      await clock.advance(10_000);
    }
    expect([silent('hv2'), silent('hv3')]).to.deep.equal([true, false]);
    ended.abort();
    await running;
  });

  it('of a hypervisor that joins long after it began to listen is nothing yet: that is no silence', async () => {
    const clock = new VirtualClock();
    const { api, world: heard } = world(clock);
    const ended = new AbortController();
    const running = heard.run(ended.signal);
    await clock.advance(10 * TIMEOUT);
    const kind = { apiVersion: 'usher.dev/v1alpha1', kind: 'Hypervisor' } as const;
    const spec = { nodeName: 'hv4', driver: 'simulated', scanIntervalSeconds: 30 } as const;
    await api.asUser('hv4').create(hypervisorResource, { ...kind, metadata: { name: 'hv4' }, spec });
    const silences: (number | undefined)[] = [];
    for (const wait of [1_000, TIMEOUT]) {
      await clock.advance(wait);
      silences.push(heard.heartbeats.silentFor('hv4', clock.monotonic()));
    }
    expect(silences[0]).to.equal(undefined);
    expect(silences[1]).to.be.within(TIMEOUT, TIMEOUT + 1_000);
    ended.abort();
    await running;
  });
});
