import type { Capability } from './capabilities.ts';
import type { RecordLine, TestOutcome, TestState } from './record.ts';

export interface TierResult {
  readonly tier: string;
  readonly seconds: number;
  readonly capabilities: readonly Capability[];
  readonly tests: readonly TestOutcome[];
}

/** How a tier's process ended. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: string | null;
  readonly seconds: number;
}

/** Whatever keeps the record from being that of a whole run counts as one more failure. */
export function tierResult(tier: string, record: readonly RecordLine[], end: ProcessEnd): TierResult {
  const tests = record.filter((line) => line.event === 'outcome').map(({ outcome }) => outcome);
  const failure = processFailure(record, end);
  const capabilities = record.find((line) => line.event === 'ended')?.capabilities ?? [];
  const own: TestOutcome[] = failure === undefined ? [] : [{ title: 'its process', state: 'failed', reason: failure }];
  return { tier, seconds: end.seconds, capabilities, tests: [...tests, ...own] };
}

export function countOf(state: TestState, results: readonly TierResult[]): number {
  return results.flatMap(({ tests }) => tests).filter((test) => test.state === state).length;
}

function processFailure(record: readonly RecordLine[], end: ProcessEnd): string | undefined {
  const unloadable = record.find((line) => line.event === 'unloadable');
  if (unloadable !== undefined) return `could not load its files: ${unloadable.message}`;
  const how = end.signal === null ? `ended with exit code ${end.code}` : `was ended by ${end.signal}`;
  if (!record.some((line) => line.event === 'ended'))
    return `${how} before its tests were through${lastStarted(record)}`;
  const lingered = record.find((line) => line.event === 'lingered');
  if (lingered !== undefined) return `did not end after its tests: still open are ${lingered.resources.join(', ')}`;
  const failed = record.some((line) => line.event === 'outcome' && line.outcome.state === 'failed');
  return end.code === 0 || failed ? undefined : `${how} after its tests`;
}

function lastStarted(record: readonly RecordLine[]): string {
  const last = record.findLast((line) => line.event === 'started');
  return last === undefined ? '' : `; the last one started was “${last.title}”`;
}
