// Counters of the node and of every running guest.
import { expect } from 'chai';
import type { UsageCounters } from '../driver.ts';
import type { Workbench } from './workbench.ts';

const FIELDS = [
  'cpuNanoseconds',
  'networkReceiveBytes',
  'networkTransmitBytes',
  'diskReadBytes',
  'diskWriteBytes',
] as const satisfies (keyof UsageCounters)[];

export function describeUsage(bench: Workbench): void {
  describe('usage', () => {
    it('has the running domains and no other', async () => {
      const [off, running] = [await bench.defined(), await bench.started()];
      const { domains } = await bench.driver.usage();
      expect(domains.has(running.uuid), 'the running one').to.equal(true);
      expect(domains.has(off.uuid), 'the one that is off').to.equal(false);
    });

    it('never goes down while the guest runs', async () => {
      const { uuid } = await bench.started();
      const first = await bench.driver.usage();
      await bench.pause(500);
      const second = await bench.driver.usage();
      expectNotLess(first.node, second.node);
      expectNotLess(first.domains.get(uuid), second.domains.get(uuid));
    });

    it('counts the memory of the node', async () => {
      const [{ node }, { memoryBytes }] = [await bench.driver.usage(), await bench.driver.node()];
      expect(node.memoryBytes).to.be.within(0, memoryBytes);
    });

    describeMoving(bench);
  });
}

function describeMoving(bench: Workbench): void {
  if (bench.has('CpuUsage')) {
    it('counts the processor time of a guest', async () => {
      const { uuid } = await bench.started();
      await bench.eventually('processor time', async () => {
        await bench.pause(100);
        const counters = (await bench.driver.usage()).domains.get(uuid);
        return counters !== undefined && counters.cpuNanoseconds > 0n ? true : undefined;
      });
    });
  }
  if (bench.has('MemoryUsage')) {
    it('counts the memory of a guest', async () => {
      const { uuid } = await bench.started();
      await bench.eventually('memory in use', async () => {
        const counters = (await bench.driver.usage()).domains.get(uuid);
        return counters !== undefined && counters.memoryBytes > 0 ? true : undefined;
      });
    });
  }
}

function expectNotLess(first: UsageCounters | undefined, second: UsageCounters | undefined): void {
  for (const field of FIELDS) {
    expect(first?.[field], field).to.be.a('bigint');
    expect(Number((second?.[field] ?? -1n) - (first?.[field] ?? 0n)), field).to.be.at.least(0);
  }
}
