import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { expect } from 'chai';
import { systemClock } from '#runtime/clock/system.ts';
import { processKiller } from './processes.ts';

describe('killing guests by their processes', () => {
  const started: ChildProcess[] = [];
  const killer = processKiller({
    procDirectory: '/proc',
    clock: systemClock,
    signal: (pid, signal) => void process.kill(pid, signal),
  });

  async function runs(argv0: string, ...args: string[]): Promise<ChildProcess> {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', '--', ...args], { argv0 });
    started.push(child);
    await once(child, 'spawn');
    return child;
  }

  after(() => started.forEach((child) => child.kill('SIGKILL')));

  it('ends those of the guests that are named, and no other process', async () => {
    const [web, other] = [randomUUID(), randomUUID()];
    const guest = await runs('/usr/bin/qemu-system-x86_64', '-name', 'guest=web', '-uuid', web);
    const bystander = await runs('/usr/bin/qemu-system-x86_64', '-name', 'guest=other', '-uuid', other);
    const namesake = await runs('/usr/bin/less', '-uuid', web);
    const ended = once(guest, 'exit');
    expect(await killer.kill([web])).to.deep.equal([]);
    expect((await ended)[1]).to.equal('SIGKILL');
    expect([bystander.exitCode, bystander.signalCode, namesake.exitCode, namesake.signalCode]).to.deep.equal([
      null,
      null,
      null,
      null,
    ]);
  });

  it('is quiet where nothing runs them', async () => {
    expect(await killer.kill([randomUUID()])).to.deep.equal([]);
  });

  it('says which of them run all the same', async () => {
    const web = randomUUID();
    await runs('/usr/bin/qemu-system-x86_64', '-uuid', web);
    const powerless = processKiller({ procDirectory: '/proc', clock: systemClock, signal: () => undefined });
    expect(await powerless.kill([web])).to.deep.equal([web]);
  }).timeout(10_000);
});
