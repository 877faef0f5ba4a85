import { expect } from 'chai';
import { GUARD_ANNOTATION } from '#crds/v1alpha1/names.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import { VirtualClock } from '#runtime/clock/virtual.ts';
import { silentLogger } from '#runtime/process/log.ts';
import { HOLD, placedMachine } from '#test/builders/virtual-machine.ts';
import { type Killer, runGuard } from './guard.ts';
import { Guarding } from './guarding.ts';
import { memoryGuardFiles } from './memory-files.ts';

const RESTART = { recovery: { ...HOLD, onLost: 'Restart' } } as const;
const PROMISE = { deadlineSeconds: 60, killSeconds: 10 };
const PROMISED = { [GUARD_ANNOTATION]: 'stops after 60 s within 10 s' };
const NOTHING = { [GUARD_ANNOTATION]: null };

/** A machine with a daemon and a guard. The clock since its boot may go on while it is suspended. */
function machine() {
  const clock = new VirtualClock();
  const files = memoryGuardFiles();
  let suspended = 0;
  const bootTime = () => clock.monotonic() + suspended;
  const killed: string[][] = [];
  const killer: Killer = {
    kill: async (uuids) => {
      killed.push([...uuids]);
      return [];
    },
  };
  const common = { files, bootID: 'boot', bootTime, clock, logger: silentLogger };
  const [daemonLives, guardLives] = [new AbortController(), new AbortController()];
  const startGuard = () => void runGuard({ ...common, killer }, guardLives.signal);
  let machines: readonly VirtualMachine[] = [];
  const startDaemon = () => {
    const guarding = new Guarding({ ...common, promise: PROMISE });
    guarding.lookAfter(
      () => machines,
      () => undefined,
    );
    void guarding.run(daemonLives.signal);
    return guarding;
  };
  return {
    clock,
    files,
    killed,
    startGuard,
    startDaemon,
    daemonLives,
    guardLives,
    has: (...vms: VirtualMachine[]) => {
      machines = vms;
    },
    suspend: (milliseconds: number) => {
      suspended += milliseconds;
    },
  };
}

/** As the heartbeat does it. */
async function renew(clock: VirtualClock, guarding: Guarding, takesMs = 0): Promise<unknown> {
  const said = guarding.annotations();
  const sentAt = clock.monotonic();
  await clock.advance(takesMs);
  guarding.renewed(sentAt);
  return said;
}

describe('guarding', () => {
  const web = placedMachine({ spec: RESTART });

  it('promises nothing before the guard was heard, and then what it will do', async () => {
    const { clock, startDaemon, startGuard } = machine();
    const guarding = startDaemon();
    expect(await renew(clock, guarding)).to.deep.equal(NOTHING);
    await clock.advance(10_000);
    expect(await renew(clock, guarding)).to.deep.equal(NOTHING);
    startGuard();
    await clock.advance(2_000);
    expect(await renew(clock, guarding)).to.deep.equal(PROMISED);
  });

  it('calls a guest guarded once the guard knows of it, and only one that may be started elsewhere', async () => {
    const { clock, has, startDaemon, startGuard } = machine();
    const guarding = startDaemon();
    startGuard();
    await renew(clock, guarding);
    has(web, placedMachine({ metadata: { name: 'held' } }));
    expect(guarding.isGuarded(web.metadata.uid)).to.equal(false);
    await clock.advance(2_000);
    expect(guarding.isGuarded(web.metadata.uid)).to.equal(true);
    expect(guarding.isGuarded(placedMachine({ metadata: { name: 'held' } }).metadata.uid)).to.equal(false);
  });

  it('goes on guarding a guest that is told to be guarded until it is told otherwise', async () => {
    const { clock, has, files, startDaemon } = machine();
    const guarding = startDaemon();
    has(placedMachine({ instance: { powerState: 'Running', guarded: true } }));
    await renew(clock, guarding);
    await clock.advance(1_000);
    expect((await files.orders())?.guests.map(({ name }) => name)).to.deep.equal(['team/web']);
    has(placedMachine({ instance: 'Running' }));
    await clock.advance(1_000);
    expect((await files.orders())?.guests).to.deep.equal([]);
  });

  it('stops nobody while the Lease is renewed, and its guests when it was not for as long as was said', async () => {
    const { clock, has, killed, startDaemon, startGuard } = machine();
    const guarding = startDaemon();
    startGuard();
    has(web);
    for (let times = 0; times < 20; times += 1) {
      await renew(clock, guarding, 1_000);
      await clock.advance(9_000);
    }
    expect(killed).to.deep.equal([]);
    const last = clock.monotonic() - 10_000;
    await clock.advance(last + 60_000 - clock.monotonic() - 1);
    expect(killed).to.deep.equal([]);
    await clock.advance(1_000);
    expect(killed[0]).to.deep.equal([web.metadata.uid]);
  });

  it('counts the time for which the machine was suspended', async () => {
    const { clock, has, killed, suspend, startDaemon, startGuard } = machine();
    const guarding = startDaemon();
    startGuard();
    has(web);
    await renew(clock, guarding);
    await clock.advance(1_000);
    suspend(3_600_000);
    await clock.advance(500);
    expect(killed[0]).to.deep.equal([web.metadata.uid]);
  });

  it('counts from the renewal that succeeded, not from one that was sent since and failed', async () => {
    const { clock, files, startDaemon } = machine();
    const guarding = startDaemon();
    guarding.annotations();
    const sentAt = clock.monotonic();
    await clock.advance(10_000);
    guarding.annotations();
    await clock.advance(1_000);
    guarding.renewed(sentAt);
    await clock.advance(1);
    expect((await files.orders())?.renewedAt).to.equal(sentAt);
  });

  it('of a daemon that was killed goes on, and its successor takes it up', async () => {
    const { clock, has, killed, daemonLives, startDaemon, startGuard } = machine();
    const guarding = startDaemon();
    startGuard();
    has(web);
    await renew(clock, guarding);
    await clock.advance(1_000);
    daemonLives.abort();
    await clock.advance(20_000);
    const next = startDaemon();
    await renew(clock, next);
    await clock.advance(59_000);
    expect(killed).to.deep.equal([]);
    await clock.advance(2_000);
    expect(killed[0]).to.deep.equal([web.metadata.uid]);
  });

  it('stands down with a daemon that ends in good order', async () => {
    const { clock, has, killed, startDaemon, startGuard } = machine();
    const guarding = startDaemon();
    startGuard();
    has(web);
    await renew(clock, guarding);
    await clock.advance(1_000);
    await guarding.standDown();
    await clock.advance(600_000);
    expect(killed).to.deep.equal([]);
  });

  it('promises no more once the guard is dead', async () => {
    const { clock, guardLives, startDaemon, startGuard } = machine();
    const guarding = startDaemon();
    startGuard();
    await renew(clock, guarding);
    await clock.advance(1_000);
    guardLives.abort();
    await clock.advance(6_000);
    expect(await renew(clock, guarding)).to.deep.equal(NOTHING);
  });
});
