// Mocha's spec reporter, which also keeps the record of the run.

import Mocha, { type MochaOptions, type Runnable, type Runner, type Suite } from 'mocha';
import { capabilitiesThatRan } from './capabilities.ts';
import { appendRecord, type TestOutcome } from './record.ts';
import { skipReason } from './skip.ts';

export class RecordingReporter extends Mocha.reporters.Spec {
  /** `reporterOptions.record` names the file to append to. */
  constructor(runner: Runner, options: MochaOptions) {
    super(runner, options);
    const { record } = options.reporterOptions as { record: string };
    const note = (outcome: TestOutcome): void => appendRecord(record, { event: 'outcome', outcome });
    runner.on('test', (test) => appendRecord(record, { event: 'started', title: test.fullTitle() }));
    runner.on('pass', (test) => note(outcomeOf(test, 'passed')));
    runner.on('pending', (test) => note(outcomeOf(test, 'skipped', skipReason(test) ?? 'no reason given')));
    runner.on('fail', (test, error: Error) => note(outcomeOf(test, 'failed', error.message)));
    runner.once('end', () => {
      for (const test of testsLeftOut(runner.suite)) note(outcomeOf(test, 'skipped', 'a hook before it failed'));
      appendRecord(record, { event: 'ended', capabilities: capabilitiesThatRan() });
    });
  }
}

function outcomeOf(test: Runnable, state: TestOutcome['state'], reason?: string): TestOutcome {
  const milliseconds = 'duration' in test ? test.duration : undefined;
  return {
    title: test.fullTitle(),
    state,
    ...(reason === undefined ? {} : { reason }),
    ...(milliseconds === undefined ? {} : { milliseconds }),
  };
}

/** Mocha says nothing of the tests behind a hook that failed. */
function testsLeftOut(suite: Suite): Runnable[] {
  const own = suite.tests.filter((test) => test.state === undefined && !test.isPending());
  return [...own, ...suite.suites.flatMap(testsLeftOut)];
}
