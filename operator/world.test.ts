import { expect } from 'chai';
import { hypervisorResource, virtualMachineResource } from '#crds/v1alpha1/kinds.ts';
import { HEARTBEAT_LABEL, heartbeatLeaseName, SYSTEM_NAMESPACE } from '#crds/v1alpha1/names.ts';
import { VirtualClock } from '#runtime/clock-virtual.ts';
import { MemoryApiServer } from '#runtime/kube/memory/server.ts';
import { LEASES } from '#runtime/lease.ts';
import { silentLogger } from '#runtime/log.ts';
import { World } from './world.ts';

const TIMEOUT = 40_000;
const LEASE = { apiVersion: LEASES.apiVersion, kind: LEASES.kind };

describe('what an operator hears', () => {
  it('of a hypervisor is what its own Lease says, whatever name another Lease bears', async () => {
    const clock = new VirtualClock();
    const api = new MemoryApiServer({ clock, random: Math.random });
    api.serve({ type: LEASES }).serve({ type: hypervisorResource }).serve({ type: virtualMachineResource });
    const world = new World({
      store: api.asUser('operator'),
      clock,
      random: Math.random,
      logger: silentLogger,
      silenceTimeoutMs: TIMEOUT,
    });
    const ended = new AbortController();
    const running = world.run(ended.signal);
    const silent = (hypervisor: string) => world.heartbeats.silentFor(hypervisor, clock.monotonic()) !== undefined;
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
});
