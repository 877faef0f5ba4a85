// The end of a run, as text.

import type { Capability } from './capabilities.ts';
import type { TestOutcome } from './record.ts';
import { countOf, type TierResult } from './tier-result.ts';

/** What failed, what was skipped and why, what was required and did not run; the counts are the last line. */
export function summary(results: readonly TierResult[], missing: readonly Capability[]): string {
  return [
    ...results.map(tierLine),
    ...section('Failed', results, 'failed'),
    ...section('Skipped', results, 'skipped'),
    ...missing.map((capability) => `Required, but no test ran with it: ${capability}`),
    closingLine(results),
  ].join('\n');
}

/** "12 passed, 0 failed, 3 skipped": over all tiers. */
export function closingLine(results: readonly TierResult[]): string {
  return `${countOf('passed', results)} passed, ${countOf('failed', results)} failed, ${countOf('skipped', results)} skipped`;
}

/** The required capabilities with which no test ran. */
export function missingCapabilities(
  results: readonly TierResult[],
  required: readonly Capability[],
): readonly Capability[] {
  const ran = new Set(results.flatMap(({ capabilities }) => capabilities));
  return required.filter((capability) => !ran.has(capability));
}

/** Skipped tests alone do not make a run fail: requiring a capability does. */
export function isGreen(results: readonly TierResult[], missing: readonly Capability[]): boolean {
  return countOf('failed', results) === 0 && missing.length === 0;
}

function tierLine(result: TierResult): string {
  return `${result.tier}: ${result.tests.length === 0 ? 'no tests' : `${closingLine([result])} in ${result.seconds} s`}`;
}

function section(title: string, results: readonly TierResult[], state: TestOutcome['state']): string[] {
  const groups = Map.groupBy(
    results.flatMap(({ tier, tests }) => tests.filter((test) => test.state === state).map((test) => ({ tier, test }))),
    ({ tier, test }) => `${tier}: ${test.reason ?? ''}`,
  );
  if (groups.size === 0) return [];
  const lines = [...groups].flatMap(([reason, members]) => [
    `  ${reason}`,
    ...members.map(({ test }) => `    - ${test.title}`),
  ]);
  return [`${title}:`, ...lines];
}
