// The process of one tier: its only argument is TierProcessOptions as JSON.

import { readFileSync } from 'node:fs';
import Mocha, { type MochaOptions } from 'mocha';
import { appendRecord } from './record.ts';
import { RecordingReporter } from './reporter.ts';

export interface TierProcessOptions {
  readonly record: string;
  readonly files: readonly string[];
  readonly lingerMilliseconds: number;
}

const { record, files, lingerMilliseconds } = JSON.parse(process.argv[2] ?? '{}') as TierProcessOptions;
const settings = JSON.parse(readFileSync('.mocharc.json', 'utf8')) as MochaOptions;
const mocha = new Mocha({ ...settings, reporter: RecordingReporter, reporterOptions: { record } });
for (const file of files) mocha.addFile(file);
await mocha.loadFilesAsync().catch((error: unknown) => {
  appendRecord(record, { event: 'unloadable', message: String(error) });
  throw error;
});
mocha.run((failures) => {
  process.exitCode = failures === 0 ? 0 : 1;
  // Does not itself keep the process: it fires only where a test left something open that does.
  setTimeout(() => {
    appendRecord(record, { event: 'lingered', resources: process.getActiveResourcesInfo() });
    process.exit(1);
  }, lingerMilliseconds).unref();
});
