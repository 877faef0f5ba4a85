// Prometheus' rules for naming metrics (https://prometheus.io/docs/practices/naming/), to be checked in tests.

export interface DescribedMetric {
  readonly name: string;
  readonly help: string;
  readonly type: string;
}

const OTHER_UNITS = /_(ms|millis|milliseconds|micros|microseconds|minutes|hours|kb|mb|kib|mib|percent|percentage)(_|$)/;

/** What is wrong with the name or the help of a metric of ours, in words; empty when all is right. */
export function metricFaults({ name, help, type }: DescribedMetric): string[] {
  const faults: [boolean, string][] = [
    [!/^usher(_[a-z][a-z0-9]*)+$/.test(name), 'must begin with usher_ and be in snake_case'],
    [!/^[A-Z].*\.$/s.test(help), 'must have a sentence as its help text'],
    [(type === 'counter') !== name.endsWith('_total'), 'must end in _total if, and only if, it is a counter'],
    [type === 'histogram' && !/_(seconds|bytes)$/.test(name), 'must end in its base unit, as it is a histogram'],
    [OTHER_UNITS.test(name), 'must be measured in a base unit: seconds, bytes, ratio'],
    [/_(count|sum|bucket)$/.test(name), 'must leave _count, _sum and _bucket to Prometheus'],
  ];
  return faults.filter(([wrong]) => wrong).map(([, rule]) => `${name} ${rule}`);
}
