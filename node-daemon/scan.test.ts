import { expect } from 'chai';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import { VirtualClock } from '#runtime/clock/virtual.ts';
import { KubeError } from '#runtime/kube/errors.ts';
import { silentLogger } from '#runtime/process/log.ts';
import { ObjectCache } from '#runtime/reflector/object-cache.ts';
import { domainOf } from '#test/builders/domain.ts';
import { hypervisor } from '#test/builders/hypervisor.ts';
import { runningMachine } from '#test/builders/virtual-machine.ts';
import { Admission } from './domains/admission.ts';
import { createSimulatedDriver } from './hypervisor/simulated/driver.ts';
import { SimulatedHost } from './hypervisor/simulated/host.ts';
import type { HypervisorReporter } from './inventory/report.ts';
import { Scanner } from './scan.ts';

const SCAN_MS = 30_000;
const CHANGED = { kind: 'Changed', uuid: 'a', detail: 'started', initiator: 'Unknown' } as const;
const ROOM = { cpus: 4, memoryBytes: 2 ** 40 };

class Scene {
  readonly clock = new VirtualClock();
  readonly host = new SimulatedHost({ clock: this.clock });
}

/** Scans for so long, and gives back how often each guest was to be looked at. */
async function scan(report: HypervisorReporter['report'], milliseconds: number, scene = new Scene()) {
  const { clock, host } = scene;
  const machines = new ObjectCache<VirtualMachine, 'uuid'>({ uuid: ({ metadata }) => [metadata.uid] });
  machines.put(runningMachine());
  const admission = new Admission();
  admission.setAllocatable(ROOM);
  const looks: string[] = [];
  const driver = createSimulatedDriver(host);
  const scanner = new Scanner({
    context: { admission, machines, driver, initiators: new Map(), clock, logger: silentLogger },
    reporter: { report },
    hypervisor: () => hypervisor(),
    random: () => 0,
    enqueue: (uuid) => looks.push(uuid),
  });
  const ended = new AbortController();
  const running = scanner.run(ended.signal);
  await clock.advance(milliseconds);
  ended.abort();
  await Promise.all([running, clock.advance(SCAN_MS)]);
  return { looks, admission };
}

describe('the scan', () => {
  it('looks at every VM of this node and every guest with our marks, again and again', async () => {
    const orphan = domainOf(runningMachine({ metadata: { name: 'orphan' } }));
    const foreign = domainOf(runningMachine({ metadata: { name: 'foreign' } }), { metadata: null });
    const { looks } = await scan(async (take) => take([orphan, foreign]), 3 * SCAN_MS);
    expect(new Set(looks)).to.deep.equal(new Set([runningMachine().metadata.uid, orphan.uuid]));
    expect(looks.length).to.be.within(4, 8);
  });

  it('looks at them, and knows the room, though nothing can be written of the Hypervisor', async () => {
    const guest = domainOf(runningMachine({ spec: { resources: { cpus: 3, memory: '1Gi' } } }));
    const { looks, admission } = await scan(async (take) => {
      take([guest]);
      throw new KubeError('Forbidden', 'no');
    }, SCAN_MS);
    expect(looks).to.include(runningMachine().metadata.uid);
    expect(admission.roomFor('another', { cpus: 2, memoryBytes: 1 }).fits).to.equal(false);
    expect(admission.roomFor('another', { cpus: 1, memoryBytes: 1 }).fits).to.equal(true);
  });

  it('comes a second after a change, and every five seconds while changes go on', async () => {
    const scene = new Scene();
    const { clock, host } = scene;
    for (let at = 10_000; at < 20_000; at += 500) {
      void clock.sleep(at).then(() => host.events.emit(CHANGED));
    }
    const scans: number[] = [];
    await scan(async () => void scans.push(clock.monotonic()), 29_000, scene);
    const [start = 0, ...later] = scans;
    expect(later.map((at) => at - start)).to.deep.equal([11_000, 16_000, 21_000]);
  });

  it('does not wait for that where the hypervisor has come back', async () => {
    const scene = new Scene();
    const { clock, host } = scene;
    void clock.sleep(10_000).then(() => host.events.emit(CHANGED));
    void clock.sleep(11_500).then(() => host.disconnect());
    void clock.sleep(13_000).then(() => host.reconnect());
    const scans: number[] = [];
    await scan(async () => void scans.push(clock.monotonic()), 29_000, scene);
    const [start = 0, ...later] = scans;
    expect(later.map((at) => at - start)).to.deep.equal([11_000, 12_500, 14_000]);
  });

  it('looks at every VM though the guests could not be listed', async () => {
    const { looks, admission } = await scan(async () => undefined, SCAN_MS);
    expect(looks).to.include(runningMachine().metadata.uid);
    expect(admission.roomFor('another', { cpus: 1, memoryBytes: 1 }).fits).to.equal(undefined);
  });
});
