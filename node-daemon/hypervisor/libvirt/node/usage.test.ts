import { expect } from 'chai';
import type { ParameterValue } from '../rpc/values.ts';
import { domainUsage } from './usage.ts';

const measured: Record<string, ParameterValue> = {
  'cpu.time': 5_000_000_000n,
  'balloon.rss': 200_000n,
  'balloon.available': 100_000n,
  'balloon.unused': 60_000n,
  'balloon.usable': 70_000n,
  'net.count': 2,
  'net.0.rx.bytes': 10n,
  'net.0.tx.bytes': 20n,
  'net.1.rx.bytes': 1n,
  'net.1.tx.bytes': 2n,
  'block.count': 1,
  'block.0.rd.bytes': 7n,
  'block.0.wr.bytes': 8n,
};

function usageOf(changes: Record<string, ParameterValue | undefined>) {
  const entries = Object.entries({ ...measured, ...changes });
  return domainUsage(new Map(entries.flatMap(([key, value]) => (value === undefined ? [] : [[key, value]]))));
}

describe('what a guest uses', () => {
  it('is summed over its cards and disks', () => {
    expect(usageOf({})).to.deep.equal({
      cpuNanoseconds: 5_000_000_000n,
      memoryBytes: 30_000 * 1024,
      networkReceiveBytes: 11n,
      networkTransmitBytes: 22n,
      diskReadBytes: 7n,
      diskWriteBytes: 8n,
    });
  });

  it('is in memory what the guest cannot do without, by what an older guest tells too', () => {
    expect(usageOf({ 'balloon.usable': undefined })?.memoryBytes).to.equal(40_000 * 1024);
  });

  it('is in memory what its process takes, where the guest tells nothing or nonsense', () => {
    expect(usageOf({ 'balloon.available': undefined })?.memoryBytes).to.equal(200_000 * 1024);
    expect(usageOf({ 'balloon.usable': 100_001n })?.memoryBytes).to.equal(200_000 * 1024);
  });

  it('is not known of a guest that was passed by', () => {
    expect(usageOf({ 'cpu.time': undefined })).to.equal(undefined);
    expect(usageOf({ 'balloon.rss': undefined })).to.equal(undefined);
  });
});
