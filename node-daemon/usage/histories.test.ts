import { expect } from 'chai';
import type { UsageCounters } from '../hypervisor/driver.ts';
import { steadyLoad } from '../hypervisor/simulated/load.ts';
import { averagesOf } from './averages.ts';
import { addUsageSample, type UsageHistories } from './histories.ts';

const load = steadyLoad({
  cpuMillis: 500,
  memoryBytes: 1_000,
  networkReceive: 0,
  networkTransmit: 0,
  diskRead: 0,
  diskWrite: 0,
});

function sample(at: number, ...uuids: string[]): ReadonlyMap<string, UsageCounters> {
  return new Map(uuids.map((uuid) => [uuid, load(at)]));
}

function cpuOf(histories: UsageHistories, uuid: string): number | undefined {
  const history = histories.get(uuid);
  return history === undefined ? undefined : averagesOf(history)?.cpu.oneMinute;
}

describe('the usage histories of a node', () => {
  it('keep the guests apart', () => {
    const first = addUsageSample(new Map(), sample(0, 'a'), 0);
    const second = addUsageSample(first, sample(10_000, 'a', 'b'), 10_000);
    expect([cpuOf(second, 'a'), cpuOf(second, 'b')]).to.deep.equal([500, undefined]);
  });

  it('remember a guest that is left out for a while, as one that hangs is', () => {
    let histories = addUsageSample(new Map(), sample(0, 'a'), 0);
    histories = addUsageSample(histories, sample(10_000), 10_000);
    histories = addUsageSample(histories, sample(20_000, 'a'), 20_000);
    expect(cpuOf(histories, 'a')).to.equal(500);
  });

  it('forget a guest that was not seen for fifteen minutes', () => {
    const histories = addUsageSample(addUsageSample(new Map(), sample(0, 'a'), 0), sample(0), 900_000);
    expect(histories.size).to.equal(0);
  });
});
