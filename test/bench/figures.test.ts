import { expect } from 'chai';
import { figuresOf, lineOf } from './figures.ts';
import { mean, median, percentile } from './statistics.ts';

describe('the figures of a benchmark', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);

  it('take percentiles as values that were really measured', () => {
    expect(percentile(hundred, 95)).to.equal(95);
    expect(percentile(hundred, 50)).to.equal(50);
    expect(percentile([7], 95)).to.equal(7);
    expect(median([3, 1, 2])).to.equal(2);
    expect(mean([1, 2, 6])).to.equal(3);
  });

  it('are told as name, value and unit, with the goal where there is one', () => {
    const lines = figuresOf({ writes_per_vm_create: 2, burst_over_bare_chain: 0.4499, operator_rss_mb_empty: 93.4 });
    expect(lines.map(lineOf)).to.deep.equal([
      'writes_per_vm_create 2 writes  # met: at most 3',
      'burst_over_bare_chain 0.45 ratio  # MISSED: at least 0.45',
      'operator_rss_mb_empty 93.4 MiB',
    ]);
  });
});
