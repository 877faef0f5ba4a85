// From the counters of guests to what is written about them, over hours of virtual time.
import { expect } from 'chai';
import type { Usage } from '#crds/v1alpha1/fragments.ts';
import { VirtualClock } from '#runtime/clock/virtual.ts';
import { SimulatedHost } from '../hypervisor/simulated/host.ts';
import { jitteryLoad, steadyLoad } from '../hypervisor/simulated/load.ts';
import { averagesOf } from './averages.ts';
import { addUsageSample, type UsageHistories } from './histories.ts';
import { decidePublications, EMPTY_LEDGER, type PublishLedger } from './publish.ts';

const MINUTE = 60_000;
const limits = { intervalMilliseconds: MINUTE, jitter: 0.2, writesPerMinute: 20 };
const rates = {
  cpuMillis: 730,
  memoryBytes: 300 * 2 ** 20,
  networkReceive: 50_000,
  networkTransmit: 20_000,
  diskRead: 0,
  diskWrite: 9_000,
};

/** A small generator, so that the test is the same every time (Park and Miller, 1988). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

class Node {
  readonly clock = new VirtualClock();
  readonly random = seeded(42);
  readonly host = new SimulatedHost({ clock: this.clock, load: () => jitteryLoad(rates, 0.03, this.random) });
  readonly published = new Map<string, Usage>();
  readonly writes: { uuid: string; at: number }[] = [];
  #histories: UsageHistories = new Map();
  #ledger: PublishLedger = EMPTY_LEDGER;

  constructor(guests: number) {
    for (let n = 0; n < guests; n += 1) {
      const uuid = `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
      this.host.createForeign({ uuid, name: `guest-${n}` });
    }
  }

  /** A sample every ten seconds, and every write that is decided. */
  async pass(minutes: number): Promise<void> {
    for (let n = 0; n < minutes * 6; n += 1) {
      await this.clock.advance(10_000);
      this.#sample(this.clock.monotonic());
    }
  }

  #sample(monotonic: number): void {
    this.#histories = addUsageSample(this.#histories, this.host.machine.usage().domains, monotonic);
    const candidates = [...this.#histories].flatMap(([key, history]) => {
      const averages = averagesOf(history);
      return averages === undefined ? [] : [{ key, averages, cpus: 1, published: this.published.get(key) }];
    });
    const context = { limits, time: { monotonic, wall: this.clock.now() }, random: this.random };
    const { publications, ledger } = decidePublications(candidates, this.#ledger, context);
    this.#ledger = ledger;
    for (const { key, usage } of publications) {
      this.published.set(key, usage);
      this.writes.push({ uuid: key, at: monotonic });
    }
  }
}

describe('a node whose guests have steady loads that jitter by 3 %', () => {
  it('is written about once per guest, within its budget, and then rests', async () => {
    const node = new Node(50);
    await node.pass(30);
    expect(node.writes).to.have.length(50);
    expect(node.published.size).to.equal(50);
    expect(node.writes.filter(({ at }) => at <= MINUTE)).to.have.length(20);
  });

  it('is written about as long as the averages of a changed guest move, and shows the new load in the end', async () => {
    const node = new Node(5);
    await node.pass(20);
    const [uuid = ''] = node.published.keys();
    node.host.setLoad(uuid, steadyLoad({ ...rates, cpuMillis: 2_000 }));
    const before = node.writes.length;
    await node.pass(20);
    const since = node.writes.slice(before);
    expect(new Set(since.map((write) => write.uuid))).to.deep.equal(new Set([uuid]));
    expect(since.length).to.be.within(2, 15);
    for (const value of Object.values(node.published.get(uuid)?.cpu ?? {})) {
      expect(value).to.be.closeTo(2_000, 170);
    }
    await node.pass(30);
    expect(node.writes).to.have.length(before + since.length);
  });
});
