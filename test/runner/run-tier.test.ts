import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { runTier } from './run-tier.ts';
import { closingLine, isGreen, missingCapabilities, summary } from './summary.ts';
import type { TierResult } from './tier-result.ts';
import type { Tier } from './tiers.ts';

describe('a run of a tier', () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'usher-run-'));
  });
  after(() => rm(directory, { recursive: true }));

  function run(fixture: string, limits: Partial<Tier> = {}): Promise<TierResult> {
    const tier = { name: fixture, files: [`test/runner/fixtures/${fixture}.fixture.ts`], limitSeconds: 60, ...limits };
    return runTier(tier, { directory, output: 'ignore' });
  }

  it('counts what passed, and the capabilities that the tests used', async () => {
    const result = await run('passing');
    expect(closingLine([result])).to.equal('2 passed, 0 failed, 0 skipped');
    expect(result.capabilities).to.deep.equal(['control-plane']);
    const missing = missingCapabilities([result], ['control-plane', 'qemu']);
    expect(missing).to.deep.equal(['qemu']);
    expect(isGreen([result], missing)).to.equal(false);
    expect(isGreen([result], [])).to.equal(true);
  });

  it('writes its result to a file', async () => {
    const result = await run('passing');
    expect(JSON.parse(await readFile(join(directory, 'passing.json'), 'utf8'))).to.deep.equal(result);
  });

  it('counts a failing test and says how it failed', async () => {
    const result = await run('failing');
    expect(closingLine([result])).to.equal('1 passed, 1 failed, 0 skipped');
    expect(isGreen([result], [])).to.equal(false);
    expect(summary([result], [])).to.contain('Failed:\n  failing: as it should\n    - a bad suite fails');
  });

  it('counts skipped tests and tells why', async () => {
    const result = await run('skipping');
    expect(closingLine([result])).to.equal('1 passed, 0 failed, 4 skipped');
    expect(summary([result], [])).to.equal(
      [
        `skipping: 1 passed, 0 failed, 4 skipped in ${result.seconds} s`,
        'Skipped:',
        '  skipping: there is no machine',
        '    - a suite without its machine is skipped',
        '    - a suite without its machine and in it another',
        '  skipping: not on Mondays',
        '    - a suite with one gap skips itself',
        '  skipping: no reason given',
        '    - a suite with one gap says nothing',
        '1 passed, 0 failed, 4 skipped',
      ].join('\n'),
    );
  });

  it('counts the tests behind a failed hook, of which mocha says nothing', async () => {
    expect(closingLine([await run('hook')])).to.equal('0 passed, 1 failed, 2 skipped');
  });

  it('counts a process that dies as a failure, keeping what passed before', async () => {
    const result = await run('dying');
    expect(closingLine([result])).to.equal('1 passed, 1 failed, 0 skipped');
    expect(result.tests.at(-1)?.reason).to.equal(
      'was ended by SIGKILL before its tests were through; the last one started was “a suite that dies is killed”',
    );
  });

  it('counts a file that cannot be loaded as a failure', async () => {
    const result = await run('broken');
    expect(result.tests.map(({ reason }) => reason)).to.deep.equal([
      'could not load its files: Error: cannot be loaded',
    ]);
  });

  it('counts a process as failed that something left open keeps alive', async () => {
    const result = await run('lingering', { lingerMilliseconds: 100 });
    expect(closingLine([result])).to.equal('1 passed, 1 failed, 0 skipped');
    expect(result.tests.at(-1)?.reason)
      .to.contain('did not end after its tests: still open are')
      .and.contain('Timeout');
  });

  it('ends a process that takes too long', async () => {
    const result = await run('hanging', { limitSeconds: 2 });
    expect(result.tests.at(-1)?.reason).to.contain('was ended by SIGKILL').and.contain('a suite that hangs never ends');
  });

  it('says so where a tier has no tests, and what was required and did not run', async () => {
    const result = await run('absent');
    expect(summary([result], ['qemu'])).to.equal(
      'absent: no tests\nRequired, but no test ran with it: qemu\n0 passed, 0 failed, 0 skipped',
    );
  });
});
