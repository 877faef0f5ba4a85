import { expect } from 'chai';
import fc from 'fast-check';
import type { UsageCounters } from '../hypervisor/driver.ts';
import { steadyLoad, swingingLoad } from '../hypervisor/simulated/load.ts';
import { addSample, averagesOf, NO_HISTORY, SPANS_MAX, type UsageHistory } from './averages.ts';
import { RESOURCES, type UsageAverages, WINDOWS } from './resources.ts';

const MINUTE = 60_000;
const rates = {
  cpuMillis: 750,
  memoryBytes: 512 * 2 ** 20,
  networkReceive: 1_000_000,
  networkTransmit: 250_000,
  diskRead: 64_000,
  diskWrite: 32_000,
};
const ZERO: UsageCounters = steadyLoad(rates)(0);

function historyOf(samples: readonly (readonly [at: number, counters: UsageCounters])[]): UsageHistory {
  return samples.reduce((history, [at, counters]) => addSample(history, counters, at), NO_HISTORY);
}

/** Samples of a load every `step` milliseconds until `end`. */
function sampled(load: (at: number) => UsageCounters, end: number, step = 10_000): UsageHistory {
  const count = Math.floor(end / step) + 1;
  return historyOf(Array.from({ length: count }, (_, n) => [n * step, load(n * step)] as const));
}

function cpuOnly(cpuNanoseconds: bigint): UsageCounters {
  return { ...ZERO, cpuNanoseconds };
}

function averages(history: UsageHistory): UsageAverages {
  const found = averagesOf(history);
  expect(found).not.to.equal(undefined);
  return found as UsageAverages;
}

describe('averages of a known load', () => {
  it('are the load, within 1 %, for every resource and window', () => {
    const result = averages(sampled(steadyLoad(rates), 20 * MINUTE));
    for (const [resource, expected] of [
      ['cpu', rates.cpuMillis],
      ['memory', rates.memoryBytes],
      ['networkReceive', rates.networkReceive],
      ['networkTransmit', rates.networkTransmit],
      ['diskRead', rates.diskRead],
      ['diskWrite', rates.diskWrite],
    ] as const) {
      for (const window of WINDOWS) {
        expect(result[resource][window], `${resource} ${window}`).to.be.closeTo(expected, expected * 0.01);
      }
    }
  });

  it('are those of each window where the load changed', () => {
    // 10 minutes at 200, 4 minutes at 1000, 1 minute at 0.
    const cpu = (at: number) =>
      200 * Math.min(at, 10 * MINUTE) + 1_000 * Math.max(0, Math.min(at, 14 * MINUTE) - 10 * MINUTE);
    const { cpu: result } = averages(sampled((at) => cpuOnly(BigInt(cpu(at)) * 1_000n), 15 * MINUTE));
    expect(result.oneMinute).to.be.closeTo(0, 1);
    expect(result.fiveMinutes).to.be.closeTo(800, 8);
    expect(result.fifteenMinutes).to.be.closeTo((10 * 200 + 4 * 1_000) / 15, 4);
  });

  it('are the mean of a load that swings, within 1 %', () => {
    const load = swingingLoad(rates, { share: 0.8, periodMilliseconds: 20_000 });
    const { cpu } = averages(sampled(load, 16 * MINUTE));
    expect(cpu.oneMinute).to.be.closeTo(750, 7.5);
    expect(cpu.fifteenMinutes).to.be.closeTo(750, 7.5);
  });
});

describe('averages', () => {
  it('are unknown before there are two samples', () => {
    expect(averagesOf(NO_HISTORY)).to.equal(undefined);
    expect(averagesOf(addSample(NO_HISTORY, ZERO, 0))).to.equal(undefined);
  });

  it('are honest in the first minute: the mean of what was seen, not diluted by what was not', () => {
    const { cpu } = averages(sampled(steadyLoad(rates), 20_000));
    expect(cpu).to.deep.equal({ oneMinute: 750, fiveMinutes: 750, fifteenMinutes: 750 });
  });

  it('begin with what is counted since the first sample, not with what was counted before', () => {
    const { cpu } = averages(
      historyOf([
        [0, cpuOnly(10n ** 15n)],
        [10_000, cpuOnly(10n ** 15n + 10n ** 9n)],
      ]),
    );
    expect(cpu.oneMinute).to.equal(100);
  });

  it('take a counter that fell as begun anew at 0', () => {
    const { cpu } = averages(
      historyOf([
        [0, cpuOnly(0n)],
        [10_000, cpuOnly(5_000_000_000n)],
        [20_000, cpuOnly(1_000_000_000n)],
      ]),
    );
    expect(cpu.oneMinute).to.equal(300);
  });

  it('are not harmed by missing samples: the counters tell what was used meanwhile', () => {
    const load = steadyLoad(rates);
    const gaps = [0, 10_000, 200_000, 210_000, 900_000];
    const { cpu } = averages(historyOf(gaps.map((at) => [at, load(at)] as const)));
    expect(cpu).to.deep.equal({ oneMinute: 750, fiveMinutes: 750, fifteenMinutes: 750 });
  });

  it('ignore samples that come too soon after one another', () => {
    const history = historyOf([
      [0, cpuOnly(0n)],
      [1, cpuOnly(10n ** 9n)],
      [10_000, cpuOnly(10n ** 9n)],
    ]);
    expect(averages(history).cpu.oneMinute).to.equal(100);
  });

  it('remember no more than fifteen minutes need', () => {
    const steps = fc.array(fc.integer({ min: 0, max: 30_000 }), { minLength: 1, maxLength: 2_000 });
    fc.assert(
      fc.property(steps, (gaps) => {
        let at = 0;
        const history = historyOf(
          gaps.map((gap) => {
            at += gap;
            return [at, ZERO] as const;
          }),
        );
        const reach = history.spans.slice(1).reduce((sum, { milliseconds }) => sum + milliseconds, 0);
        expect(history.spans.length).to.be.at.most(SPANS_MAX);
        expect(reach).to.be.below(15 * MINUTE);
      }),
      { numRuns: 20 },
    );
  });

  it('lie between the lowest and the highest rate there was', () => {
    const sample = fc.record({ gap: fc.integer({ min: 4_000, max: 120_000 }), millis: fc.nat(8_000) });
    fc.assert(
      fc.property(fc.array(sample, { minLength: 1, maxLength: 100 }), (parts) => {
        let [at, counted] = [0, 0];
        const samples = parts.map(({ gap, millis }) => {
          at += gap;
          counted += gap * millis;
          return [at, cpuOnly(BigInt(counted) * 1_000n)] as const;
        });
        const { cpu } = averages(historyOf([[0, ZERO], ...samples]));
        const all = parts.map(({ millis }) => millis);
        for (const window of WINDOWS) {
          expect(cpu[window]).to.be.within(Math.min(...all) - 0.001, Math.max(...all) + 0.001);
        }
      }),
    );
  });

  it('are never negative and always finite, whatever the counters do', () => {
    const counters = fc.record({
      cpuNanoseconds: fc.bigInt({ min: 0n, max: 2n ** 64n }),
      memoryBytes: fc.nat(),
      networkReceiveBytes: fc.bigInt({ min: 0n, max: 2n ** 64n }),
      networkTransmitBytes: fc.bigInt({ min: 0n, max: 2n ** 64n }),
      diskReadBytes: fc.bigInt({ min: 0n, max: 2n ** 64n }),
      diskWriteBytes: fc.bigInt({ min: 0n, max: 2n ** 64n }),
    });
    fc.assert(
      fc.property(fc.array(counters, { minLength: 2, maxLength: 20 }), (all) => {
        const result = averages(historyOf(all.map((one, n) => [n * 10_000, one] as const)));
        for (const resource of RESOURCES) {
          for (const window of WINDOWS) {
            expect(Number.isFinite(result[resource][window])).to.equal(true);
            expect(result[resource][window]).to.be.at.least(0);
          }
        }
      }),
    );
  });
});
