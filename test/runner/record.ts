// What a tier's process writes down, line by line as it happens, so that nothing is lost when it dies.

import { appendFileSync, readFileSync } from 'node:fs';
import type { Capability } from './capabilities.ts';

export type TestState = 'passed' | 'failed' | 'skipped';

export interface TestOutcome {
  readonly title: string;
  readonly state: TestState;
  /** Why it was skipped, or how it failed. */
  readonly reason?: string;
  readonly milliseconds?: number;
}

export type RecordLine =
  | { readonly event: 'unloadable'; readonly message: string }
  | { readonly event: 'started'; readonly title: string }
  | { readonly event: 'outcome'; readonly outcome: TestOutcome }
  | { readonly event: 'ended'; readonly capabilities: readonly Capability[] }
  | { readonly event: 'lingered'; readonly resources: readonly string[] };

/** Written at once, in full, before it returns: what follows may be the end of the process. */
export function appendRecord(file: string, line: RecordLine): void {
  appendFileSync(file, `${JSON.stringify(line)}\n`);
}

/** A last line cut short by the end of its writer is left out; a missing file is an empty record. */
export function readRecord(file: string): RecordLine[] {
  const lines = readText(file).split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as RecordLine);
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
