import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import fc from 'fast-check';
import { DriverError, type DriverErrorReason } from '#node-daemon/hypervisor/errors.ts';
import { systemClock } from '#runtime/clock/system.ts';
import { VirtualClock } from '#runtime/clock/virtual.ts';
import type { Connection } from './connection.ts';
import { FakeLibvirtd, hyper } from './fake-libvirtd.ts';
import { FAULT } from './faults.ts';
import { MAX_CALLS_IN_FLIGHT } from './limits.ts';
import { openConnection } from './open.ts';
import { PROCEDURE } from './procedures.ts';
import { XdrEncoder } from './xdr-encoder.ts';

const NOTHING = Buffer.alloc(0);

describe('a connection to libvirt', () => {
  let server: FakeLibvirtd;
  let clock: VirtualClock;

  beforeEach(async () => {
    server = new FakeLibvirtd();
    clock = new VirtualClock();
    await server.listen();
  });
  afterEach(() => server.close());

  const open = (): Promise<Connection> =>
    openConnection({ socketPath: server.socketPath, uri: 'qemu:///system', timeoutMs: 1_000 }, clock);
  const done = new DriverError('Unreachable', 'the test is over');

  it('asks for authentication, keepalive, the hypervisor and the version, in this order', async () => {
    const connection = await open();
    expect(server.calls).to.deep.equal([
      PROCEDURE.authList,
      PROCEDURE.connectSupportsFeature,
      PROCEDURE.connectOpen,
      PROCEDURE.connectGetLibVersion,
    ]);
    connection.close(done);
  });

  const refused: Record<string, [procedure: number, answer: () => Buffer, reason: DriverErrorReason, text: RegExp]> = {
    'demands SASL': [
      PROCEDURE.authList,
      () => new XdrEncoder().unsigned(1).int(1).finish(),
      'Unreachable',
      /SASL authentication; run as root or set auth_unix_rw/,
    ],
    'is older than 6.0': [
      PROCEDURE.connectGetLibVersion,
      () => hyper(5_010_003n),
      'Unsupported',
      /libvirt 5\.10\.3 is too old/,
    ],
    'answers with garbage': [PROCEDURE.authList, () => Buffer.from('garbage!'), 'Unreachable', /cannot be understood/],
    'has no such hypervisor': [
      PROCEDURE.connectOpen,
      () => {
        throw FAULT.noSupport;
      },
      'Unsupported',
      /cannot use libvirt \(--libvirt-uri qemu:\/\/\/system, --libvirt-socket .*sock\): fault 3/,
    ],
  };
  for (const [what, [procedure, answer, reason, text]] of Object.entries(refused)) {
    it(`is refused as ${reason} where the other side ${what}`, async () => {
      server.answers.set(procedure, answer);
      const error = await rejection(open());
      expect(error).to.have.property('reason', reason);
      expect(error.message).to.match(text);
    });
  }

  it('is refused as Unreachable where nobody listens, with the path', async () => {
    const error = await rejection(
      openConnection({ socketPath: '/nowhere/sock', uri: 'x:///', timeoutMs: 1_000 }, systemClock),
    );
    expect(error).to.include({ reason: 'Unreachable' });
    expect(error.message)
      .to.contain('--libvirt-socket /nowhere/sock')
      .and.to.contain('there is no such socket; install');
  });

  it('is refused where the handshake is not answered in time', async () => {
    server.answers.set(PROCEDURE.connectOpen, () => undefined);
    const opening = rejection(open());
    await passing(clock, 1_000);
    expect((await opening).message).to.contain('libvirt did not answer within 1 s');
  });

  it('turns libvirt’s error numbers into the reasons of the port', async () => {
    const connection = await open();
    const expected = new Map<number, DriverErrorReason>([
      [FAULT.noDomain, 'NotFound'],
      [FAULT.operationInvalid, 'Busy'],
      [FAULT.domainExists, 'Conflict'],
      [FAULT.xmlError, 'Invalid'],
      [FAULT.noSupport, 'Unsupported'],
      [FAULT.noMemory, 'NoRoom'],
      [FAULT.operationTimeout, 'Timeout'],
      [FAULT.systemError, 'Failed'],
      [4711, 'Failed'],
    ]);
    for (const [code, reason] of expected) {
      server.answers.set(PROCEDURE.nodeGetInfo, () => {
        throw code;
      });
      expect(await rejection(connection.call(PROCEDURE.nodeGetInfo, NOTHING, 1_000))).to.include({ reason, code });
    }
    connection.close(done);
  });

  it('lets a call time out, and takes no harm from the late answer', async () => {
    const connection = await open();
    server.answers.set(PROCEDURE.nodeGetInfo, () => undefined);
    const call = rejection(connection.call(PROCEDURE.nodeGetInfo, NOTHING, 5_000));
    await passing(clock, 5_000);
    expect(await call).to.include({ reason: 'Timeout' });
    server.answerLate();
    server.answers.set(PROCEDURE.nodeGetFreeMemory, () => hyper(7n));
    expect((await connection.call(PROCEDURE.nodeGetFreeMemory, NOTHING, 1_000)).unsignedHyper()).to.equal(7n);
    connection.close(done);
  });

  it('never has more calls under way than libvirtd reads, and sends the others when there is room', async () => {
    const connection = await open();
    const before = server.calls.length;
    let answering = false;
    server.answers.set(PROCEDURE.nodeGetFreeMemory, () => (answering ? hyper(1n) : undefined));
    server.answers.set(PROCEDURE.nodeGetInfo, () => undefined);
    const stuck = Array.from({ length: MAX_CALLS_IN_FLIGHT - 1 }, () =>
      rejection(connection.call(PROCEDURE.nodeGetInfo, NOTHING, 60_000)),
    );
    answering = true;
    const others = Array.from({ length: 20 }, () => connection.call(PROCEDURE.nodeGetFreeMemory, NOTHING, 60_000));
    expect(await Promise.all(others)).to.have.length(20);
    expect(server.calls.length - before).to.equal(MAX_CALLS_IN_FLIGHT - 1 + 20);
    connection.close(done);
    expect((await Promise.all(stuck)).map(({ reason }) => reason)).to.deep.equal(stuck.map(() => 'Unreachable'));
  });

  it('is given up where every call under way has timed out', async () => {
    const connection = await open();
    server.answers.set(PROCEDURE.nodeGetInfo, () => undefined);
    const calls = Array.from({ length: MAX_CALLS_IN_FLIGHT }, () =>
      rejection(connection.call(PROCEDURE.nodeGetInfo, NOTHING, 2_000)),
    );
    await passing(clock, 2_000);
    await Promise.all(calls);
    expect((await connection.closed).message).to.contain('none of its last 4 calls was answered in time');
  });

  it('answers pings', async () => {
    const connection = await open();
    server.ping();
    await until(() => server.pongs === 1);
    connection.close(done);
  });

  it('stays while the other side answers pings, and is cut within 35 s where it does not', async () => {
    const connection = await open();
    for (let round = 0; round < 20; round += 1) {
      await passing(clock, 5_000);
      await pause(5); // the answer comes through a real socket
    }
    server.alive = false;
    await passing(clock, 25_000);
    const state = await Promise.race([connection.closed, Promise.resolve('open')]);
    expect(state, 'after 25 s of silence').to.equal('open');
    await passing(clock, 10_000);
    expect((await connection.closed).message).to.match(/silent for 3[0-5] s/);
  });

  it('ends, and every call with it, where the other side closes it', async () => {
    const connection = await open();
    server.answers.set(PROCEDURE.nodeGetInfo, () => undefined);
    const call = rejection(connection.call(PROCEDURE.nodeGetInfo, NOTHING, 60_000));
    server.drop();
    expect(await call).to.include({ reason: 'Unreachable' });
    expect(await rejection(connection.call(PROCEDURE.nodeGetInfo, NOTHING, 1))).to.include({ reason: 'Unreachable' });
  });

  it('ends by a DriverError whatever bytes arrive, or does not end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), async (bytes) => {
        const connection = await open();
        server.answers.set(PROCEDURE.nodeGetInfo, () => undefined);
        const call = rejection(connection.call(PROCEDURE.nodeGetInfo, NOTHING, 1_000));
        server.send(Buffer.from(bytes));
        await pause(1);
        await passing(clock, 1_000);
        expect(await call)
          .to.have.property('reason')
          .that.is.oneOf(['Unreachable', 'Timeout']);
        connection.close(done);
      }),
      { numRuns: 50 },
    );
  });
});

async function rejection(promise: Promise<unknown>): Promise<DriverError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).to.be.instanceOf(DriverError);
  return error as DriverError;
}

/** Lets what is under way on real sockets arrive, then the time pass. */
async function passing(clock: VirtualClock, milliseconds: number): Promise<void> {
  await pause(10);
  await clock.advance(milliseconds);
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) {
    await pause(5);
  }
}
