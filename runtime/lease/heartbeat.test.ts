import { expect } from 'chai';
import { VirtualClock } from '../clock/virtual.ts';
import { KubeError } from '../kube/errors.ts';
import { MemoryApiServer } from '../kube/memory/server.ts';
import { silentLogger } from '../process/log.ts';
import { Heartbeat, type HeartbeatOptions, LeaseTaken } from './heartbeat.ts';
import { LEASES } from './lease.ts';

const KEY = { namespace: 'usher', name: 'node-a' };

function setUp(options: Partial<HeartbeatOptions> = {}) {
  const clock = new VirtualClock({ startsAt: Date.parse('2026-03-01T12:00:00Z') });
  const server = new MemoryApiServer({ clock, random: Math.random }).serve({ type: LEASES });
  const store = server.asUser('daemon');
  const random = () => 0;
  const labels = { 'example.dev/component': 'daemon' };
  const own = { ...KEY, holder: 'node-a', labels, store, clock, random, logger: silentLogger };
  const heartbeat = new Heartbeat({ ...own, ...options });
  const stop = new AbortController();
  const lease = async () => store.get(LEASES, KEY);
  return { clock, server, store, heartbeat, stop, lease };
}

describe('the heartbeat', () => {
  it('creates a missing lease with its labels', async () => {
    const { heartbeat, lease } = setUp();
    await heartbeat.renew();
    const { metadata, spec } = await lease();
    expect(metadata.labels).to.deep.equal({ 'example.dev/component': 'daemon' });
    expect(spec).to.deep.equal({
      holderIdentity: 'node-a',
      leaseDurationSeconds: 40,
      acquireTime: '2026-03-01T12:00:00.000000Z',
      renewTime: '2026-03-01T12:00:00.000000Z',
      leaseTransitions: 0,
    });
  });

  it('renews every interval with one write each', async () => {
    const { clock, server, heartbeat, stop, lease } = setUp();
    const stopped = heartbeat.run(stop.signal);
    await clock.advance(60_000);
    expect(server.writes).to.have.length(7);
    const { spec } = await lease();
    expect(spec?.renewTime).to.equal('2026-03-01T12:01:00.000000Z');
    expect(spec?.acquireTime).to.equal('2026-03-01T12:00:00.000000Z');
    stop.abort();
    await stopped;
    expect(clock.sleeping).to.equal(0);
  });

  it('is valid for the lease duration from before the last renewal was sent', async () => {
    const { clock, server, heartbeat, stop } = setUp();
    expect(heartbeat.isValid()).to.equal(false);
    server.faults.add({ match: ({ verb }) => verb === 'create', answerDelay: () => 3000 });
    const stopped = heartbeat.run(stop.signal);
    await clock.advance(3000);
    expect(heartbeat.validUntil()).to.equal(40_000);
    stop.abort();
    await stopped;
    await clock.advance(36_999);
    expect(heartbeat.isValid()).to.equal(true);
    await clock.advance(1);
    expect(heartbeat.isValid()).to.equal(false);
  });

  it('does not count a renewal whose answer was lost, and goes on after it', async () => {
    const { clock, server, heartbeat } = setUp();
    await heartbeat.renew();
    await clock.advance(10_000);
    const lost = new KubeError('Unreachable', 'connection reset');
    server.faults.add({ match: ({ verb }) => verb === 'mergePatch', loseAnswer: lost });
    const failure = await heartbeat.renew().catch((error: unknown) => error);
    expect(failure).to.equal(lost);
    expect(heartbeat.validUntil()).to.equal(40_000);
    await heartbeat.renew();
    expect(heartbeat.validUntil()).to.equal(50_000);
  });

  it('makes the lease anew after somebody deleted it', async () => {
    const { heartbeat, store, lease } = setUp();
    await heartbeat.renew();
    await store.delete(LEASES, KEY);
    await heartbeat.renew();
    expect((await lease()).metadata.labels).to.deep.equal({ 'example.dev/component': 'daemon' });
  });

  it('survives the writes of others, keeps what is theirs and restores what is its own', async () => {
    const { clock, heartbeat, store, lease } = setUp();
    await heartbeat.renew();
    await clock.advance(5000);
    await store.mergePatch(LEASES, KEY, {
      metadata: { annotations: { guard: 'armed' }, labels: { 'example.dev/component': null } },
      spec: { holderIdentity: null },
    });
    await heartbeat.renew();
    const { metadata, spec } = await lease();
    expect(metadata.annotations).to.deep.equal({ guard: 'armed' });
    expect(metadata.labels).to.deep.equal({ 'example.dev/component': 'daemon' });
    expect(spec).to.include({ holderIdentity: 'node-a', acquireTime: '2026-03-01T12:00:05.000000Z' });
    expect(heartbeat.validUntil()).to.equal(45_000);
  });

  it('writes what is to be said with each renewal, and takes it away when it gives the lease up', async () => {
    const said: Record<string, string | null> = { 'example.dev/guard': null };
    const renewals: number[] = [];
    const { clock, heartbeat, lease } = setUp({
      annotations: () => said,
      onRenewed: (sentAt) => renewals.push(sentAt),
    });
    await heartbeat.renew();
    expect((await lease()).metadata.annotations ?? {}).to.deep.equal({});
    said['example.dev/guard'] = 'armed';
    await clock.advance(1_000);
    await heartbeat.renew();
    expect((await lease()).metadata.annotations).to.deep.equal({ 'example.dev/guard': 'armed' });
    expect(renewals).to.deep.equal([0, 1_000]);
    expect(await heartbeat.release()).to.equal(true);
    expect((await lease()).metadata.annotations ?? {}).to.deep.equal({});
  });

  it('tries again sooner while the API server cannot be reached, and recovers by itself', async () => {
    const { clock, server, heartbeat, stop } = setUp();
    const stopped = heartbeat.run(stop.signal);
    await clock.advance(5000);
    server.faults.add({ times: 6, refuse: new KubeError('Unreachable', 'connection refused') });
    await clock.advance(55_000);
    expect(heartbeat.isValid()).to.equal(true);
    expect(heartbeat.validUntil()).to.be.at.least(90_000);
    stop.abort();
    await stopped;
  });

  it('gives up on an answer that does not come, and stops in the midst of one', async () => {
    const { clock, server, heartbeat, stop } = setUp();
    server.faults.add({ times: 2, requestDelay: () => 3_600_000 });
    const stopped = heartbeat.run(stop.signal);
    await clock.advance(15_000);
    expect(heartbeat.isValid()).to.equal(false);
    await clock.advance(10_000);
    expect(heartbeat.isValid()).to.equal(true);
    server.faults.add({ requestDelay: () => 3_600_000 });
    await clock.advance(10_000);
    stop.abort();
    await stopped;
  });

  it('refuses an interval in which the lease would expire', () => {
    expect(() => setUp({ intervalMs: 40_000, leaseDurationSeconds: 40 })).to.throw(/intervalMs/);
  });
});

describe('a heartbeat whose lease another holds', () => {
  /** Another daemon, under another identity or under the same one. */
  function others(world: ReturnType<typeof setUp>, holder: string): Heartbeat {
    const { clock, store } = world;
    return new Heartbeat({ ...KEY, holder, store, clock, random: () => 0, logger: silentLogger });
  }

  function claim(heartbeat: Heartbeat, stop: AbortSignal = new AbortController().signal) {
    const claiming = { done: false, holders: [] as string[], ended: Promise.resolve() };
    const end = async () => {
      await heartbeat.claim(stop, (holder) => claiming.holders.push(holder));
      claiming.done = true;
    };
    claiming.ended = end();
    return claiming;
  }

  it('waits, and says for whom, until that lease has not changed for its own duration', async () => {
    const world = setUp({ leaseDurationSeconds: 15 });
    const { clock, server, heartbeat } = world;
    const other = others(world, 'node-b');
    await other.renew();
    await clock.advance(3_600_000);
    const writes = server.writes.length;
    const claiming = claim(heartbeat);
    await clock.advance(30_000);
    await other.renew();
    await clock.advance(39_000);
    expect(claiming).to.include({ done: false });
    expect(server.writes.length - writes, 'writes meanwhile, all of the other one').to.equal(1);
    expect(heartbeat.isValid()).to.equal(false);
    await clock.advance(3_000);
    expect(claiming.done).to.equal(true);
    expect(claiming.holders).to.deep.equal(['node-b']);
    expect(heartbeat.isValid()).to.equal(true);
  });

  it('need not wait where that one has given it up', async () => {
    const world = setUp();
    const other = others(world, 'node-b');
    await other.renew();
    const claiming = claim(world.heartbeat);
    await world.clock.advance(5_000);
    expect(claiming.done).to.equal(false);
    await other.release();
    expect(other.isValid()).to.equal(false);
    await world.clock.advance(2_000);
    expect(claiming.done).to.equal(true);
  });

  it('need not wait for itself, killed and started again', async () => {
    const world = setUp();
    await others(world, 'node-a').renew();
    const claiming = claim(world.heartbeat);
    await world.clock.advance(0);
    expect(claiming).to.deep.include({ done: true, holders: [] });
  });

  it('is over at once, and is not written over, where another has taken it', async () => {
    const world = setUp();
    const { clock, store, heartbeat, stop, lease } = world;
    const running = heartbeat.run(stop.signal).catch((error: unknown) => error);
    await clock.advance(5_000);
    await store.mergePatch(LEASES, KEY, { spec: { holderIdentity: 'node-b' } });
    expect(heartbeat.isValid()).to.equal(true);
    await clock.advance(5_000);
    expect(heartbeat.isValid()).to.equal(false);
    expect(await running)
      .to.be.instanceOf(LeaseTaken)
      .with.property('holder', 'node-b');
    await heartbeat.release();
    expect((await lease()).spec?.holderIdentity).to.equal('node-b');
  });

  it('tries on while the API server cannot be reached, and ends its waiting when it is told to', async () => {
    const world = setUp();
    world.server.faults.add({ times: 3, refuse: new KubeError('Unreachable', 'connection refused') });
    const claiming = claim(world.heartbeat);
    await world.clock.advance(20_000);
    expect(claiming.done).to.equal(true);
    const stop = new AbortController();
    const waiting = claim(others(world, 'node-b'), stop.signal);
    const ended = waiting.ended.catch((error: unknown) => error);
    stop.abort(new Error('enough'));
    expect(await ended).to.include({ message: 'enough' });
  });
});
