import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import type { DriverError } from '#node-daemon/hypervisor/errors.ts';
import { VirtualClock } from '#runtime/clock/virtual.ts';
import { FakeLibvirtd, hyper } from './fake-libvirtd.ts';
import { openConnection } from './open.ts';
import { PROCEDURE } from './procedures.ts';
import { Session } from './session.ts';

const NOTHING = Buffer.alloc(0);

describe('a session with libvirt', () => {
  let server: FakeLibvirtd;
  let clock: VirtualClock;
  let session: Session;
  let history: string[];

  beforeEach(async () => {
    server = new FakeLibvirtd();
    clock = new VirtualClock();
    history = [];
    await server.listen();
    server.answers.set(PROCEDURE.nodeGetFreeMemory, () => hyper(1n));
    const endpoint = { socketPath: server.socketPath, uri: 'qemu:///system', timeoutMs: 1_000 };
    session = new Session({
      connect: () => openConnection(endpoint, clock),
      onConnected: (again) => history.push(again ? 'again' : 'first'),
      onDisconnected: ({ reason }) => history.push(reason),
      clock,
      random: () => 0,
    });
  });
  afterEach(async () => {
    session.close();
    await server.close();
  });

  const ask = () => session.call(PROCEDURE.nodeGetFreeMemory, NOTHING, 1_000);
  const outcome = () =>
    ask().then(
      () => 'answered',
      (error: unknown) => (error as DriverError).message,
    );

  it('does nothing until it is used', async () => {
    await pause(20);
    expect(server.calls).to.deep.equal([]);
    expect(await outcome()).to.equal('answered');
    expect(history).to.deep.equal(['first']);
  });

  it('connects once for many calls', async () => {
    await Promise.all([ask(), ask(), ask()]);
    expect(server.calls.filter((procedure) => procedure === PROCEDURE.connectOpen)).to.have.length(1);
  });

  it('comes back by itself after the connection is lost, and says so', async () => {
    await ask();
    server.drop();
    await pause(20);
    expect(history).to.deep.equal(['first', 'Unreachable']);
    expect(await outcome(), 'meanwhile').to.contain('the connection to libvirt was lost');
    await clock.advance(200);
    await pause(20);
    expect(history).to.deep.equal(['first', 'Unreachable', 'again']);
    expect(await outcome()).to.equal('answered');
  });

  it('waits longer after each failure, three seconds at most', async () => {
    server.answers.set(PROCEDURE.connectOpen, () => {
      throw 1;
    });
    const attempts = () => server.calls.filter((procedure) => procedure === PROCEDURE.connectOpen).length;
    expect(await outcome()).to.contain('fault 1');
    for (const [round, wait] of [200, 400, 800, 1_600, 3_000, 3_000].entries()) {
      await clock.advance(wait - 1);
      await pause(20);
      expect(attempts(), `${wait - 1} ms after failure ${round + 1}`).to.equal(round + 1);
      await clock.advance(1);
      await pause(20);
      expect(attempts(), `${wait} ms after failure ${round + 1}`).to.equal(round + 2);
    }
  });

  it('tries at once when it is told that it may succeed', async () => {
    await ask();
    server.drop();
    await pause(20);
    session.retryNow();
    expect(await outcome()).to.equal('answered');
  });

  it('stays closed once it was closed', async () => {
    await ask();
    session.close();
    session.close();
    expect(await outcome()).to.equal('the driver was closed');
    await clock.advance(60_000);
    expect(history).to.deep.equal(['first', 'Unreachable']);
  });
});
