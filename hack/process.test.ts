import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { isRunning, lastLines, signalProcess, startProcess, stopProcess } from './process.ts';
import { endedError, ProcessGroup, recordedProcesses, stopRecorded } from './process-group.ts';

describe('a process that we start', () => {
  let directory: string;
  let group: ProcessGroup;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'usher-process-'));
    group = new ProcessGroup(directory);
  });
  afterEach(async () => {
    await group.stopAll();
    await rm(directory, { recursive: true });
  });

  function shell(name: string, script: string, graceMilliseconds = 0) {
    const logFile = join(directory, `${name}.log`);
    const lifetime = 'parent' as const;
    return { name, command: 'sh', args: ['-c', script], directory, logFile, graceMilliseconds, lifetime };
  }

  /** So that its signal handlers are in place. */
  async function untilItSays(file: string, text: string): Promise<void> {
    while (!readFileSync(file, 'utf8').includes(text)) await delay(10);
  }

  it('may end in good order within its grace', async () => {
    const script = 'trap "echo goodbye; exit" TERM; echo ready; while :; do sleep 0.05; done';
    const started = await group.start(shell('polite', script, 5_000));
    await untilItSays(started.logFile, 'ready');
    await group.stop('polite');
    expect(readFileSync(started.logFile, 'utf8')).to.equal('ready\ngoodbye\n');
    expect(isRunning(started)).to.equal(false);
  });

  it('is killed when its grace is over', async () => {
    const started = await group.start(shell('deaf', 'trap "" TERM; echo ready; while :; do sleep 0.05; done', 100));
    await untilItSays(started.logFile, 'ready');
    await group.stop('deaf');
    expect(isRunning(started)).to.equal(false);
  });

  it('is told from another one that has got its pid', async () => {
    const started = await group.start(shell('first', 'exec sleep 60'));
    const earlier = { ...started, startTicks: '1' };
    expect(isRunning(earlier)).to.equal(false);
    signalProcess(earlier, 'SIGKILL');
    await stopProcess(earlier);
    expect(isRunning(started)).to.equal(true);
  });

  it('that does not exist is named in the error', async () => {
    const absent = { ...shell('absent', ''), command: '/nowhere/at-all', lifetime: 'detached' as const };
    const refused = await startProcess(absent).then(String, (error: Error) => error.message);
    expect(refused).to.equal('cannot start absent (/nowhere/at-all): spawn /nowhere/at-all ENOENT');
  });

  it('is noticed when it ends by itself, with the end of its log', async () => {
    const started = await group.start(shell('short', 'seq 30; exit 1'));
    while (group.ended() === undefined) await delay(10);
    expect(lastLines(started.logFile, 2)).to.equal('29\n30');
    expect(endedError(started).message).to.contain(`short ended. The end of ${started.logFile}:\n11\n`);
  });

  it('can be stopped by the record of its group, once', async () => {
    const first = await group.start(shell('first', 'exec sleep 60'));
    const second = await group.start(shell('second', 'exec sleep 60'));
    expect((await recordedProcesses(directory)).map(({ pid }) => pid)).to.deep.equal([first.pid, second.pid]);
    expect(await stopRecorded(directory)).to.deep.equal(['second', 'first']);
    expect(await stopRecorded(directory)).to.deep.equal([]);
  });
});
