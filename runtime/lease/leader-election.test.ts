import { expect } from 'chai';
import * as fc from 'fast-check';
import type { Clock } from '../clock/clock.ts';
import { VirtualClock } from '../clock/virtual.ts';
import { KubeError } from '../kube/errors.ts';
import { MemoryApiServer } from '../kube/memory/server.ts';
import type { KubeStore } from '../kube/store.ts';
import { silentLogger } from '../process/log.ts';
import { LeaderElection, type LeaderElectionOptions, LeadershipLost } from './leader-election.ts';
import { LEASES } from './lease.ts';

const KEY = { namespace: 'usher', name: 'operator' };
const SECOND = 1000;

/** A process: it can be frozen as by SIGSTOP, its wall clock may be wrong, its way to the API server may be cut. */
class Candidate {
  readonly stop = new AbortController();
  /** How often it has led. */
  terms = 0;
  readonly lostBecause: unknown[] = [];
  /** How long the work goes on after it was asked to stop. */
  lingerMs = 0;
  readonly election: LeaderElection;
  stopped: Promise<void> = Promise.resolve();
  readonly #world: World;
  #frozen: PromiseWithResolvers<void> | undefined;

  constructor(world: World, identity: string, options: Partial<LeaderElectionOptions> & { skewMs?: number } = {}) {
    this.#world = world;
    const { skewMs = 0, ...rest } = options;
    this.election = new LeaderElection({
      ...KEY,
      identity,
      store: this.#store(world.server.asUser(identity)),
      clock: this.#clock(skewMs),
      random: world.random,
      logger: silentLogger,
      ...rest,
    });
    world.candidates.push(this);
  }

  run(): this {
    this.stopped = this.election.run({ stop: this.stop.signal, onLeading: async (leading) => this.#work(leading) });
    return this;
  }

  freeze(): void {
    this.#frozen ??= Promise.withResolvers<void>();
  }

  thaw(): void {
    this.#frozen?.resolve();
    this.#frozen = undefined;
  }

  async #work(leading: AbortSignal): Promise<void> {
    this.terms += 1;
    await new Promise((resolve) => {
      leading.addEventListener('abort', resolve);
      this.stop.signal.addEventListener('abort', () => {
        void this.#world.clock.sleep(this.lingerMs).then(resolve);
      });
    });
    if (leading.aborted) {
      this.lostBecause.push(leading.reason);
    }
  }

  #clock(skewMs: number): Clock {
    const { clock } = this.#world;
    return {
      now: () => clock.now() + skewMs,
      monotonic: () => clock.monotonic(),
      sleep: async (milliseconds, signal) => {
        await clock.sleep(milliseconds, signal);
        await this.#frozen?.promise;
      },
    };
  }

  /** Answers, too, are seen only once the process runs again. */
  #store(store: KubeStore): KubeStore {
    const held =
      <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
      async (...args: A): Promise<R> => {
        try {
          return await call(...args);
        } finally {
          await this.#frozen?.promise;
        }
      };
    const get = held(store.get.bind(store));
    const create = held(store.create.bind(store));
    const mergePatch = held(store.mergePatch.bind(store));
    return Object.assign(store, { get, create, mergePatch });
  }
}

class World {
  readonly clock = new VirtualClock();
  readonly candidates: Candidate[] = [];
  readonly server = new MemoryApiServer({ clock: this.clock, random: Math.random }).serve({ type: LEASES });
  readonly random: () => number;

  constructor(random = () => 0) {
    this.random = random;
  }

  leaders(): Candidate[] {
    return this.candidates.filter(({ election }) => election.isLeading());
  }

  /** Lets time pass and looks ten times a second that no two believe that they lead. */
  async pass(milliseconds: number): Promise<void> {
    for (let left = milliseconds; left > 0; left -= 100) {
      await this.clock.advance(Math.min(100, left));
      expect(this.leaders().length, `leaders at ${this.clock.monotonic()} ms`).to.be.at.most(1);
    }
  }

  /** Until `user` (or everybody) can reach the API server again. */
  cutOff(user?: string): () => void {
    let cut = true;
    const refuse = new KubeError('Unreachable', 'connection refused');
    const match = (call: { user: string }) => cut && (user === undefined || call.user === user);
    this.server.faults.add({ match, times: Number.POSITIVE_INFINITY, refuse });
    return () => {
      cut = false;
    };
  }

  async spec() {
    return (await this.server.asUser('test').get(LEASES, KEY)).spec;
  }

  async stopAll(): Promise<void> {
    for (const candidate of this.candidates) {
      candidate.thaw();
      candidate.stop.abort();
    }
    await this.clock.advance(60 * SECOND);
    await Promise.all(this.candidates.map(async ({ stopped }) => stopped));
    expect(this.clock.sleeping).to.equal(0);
  }
}

/** Two candidates, of which `a` leads. */
async function twoCandidates(skewMs = 0) {
  const world = new World();
  const a = new Candidate(world, 'a', { skewMs }).run();
  await world.pass(SECOND);
  const b = new Candidate(world, 'b').run();
  await world.pass(5 * SECOND);
  expect(world.leaders()).to.deep.equal([a]);
  return { world, a, b };
}

describe('leader election', () => {
  it('makes one of two candidates the leader, for good', async () => {
    const { world, a, b } = await twoCandidates();
    await world.pass(600 * SECOND);
    expect(a.terms).to.equal(1);
    expect(b.terms).to.equal(0);
    expect(await world.spec()).to.include({ holderIdentity: 'a', leaseDurationSeconds: 15, leaseTransitions: 0 });
    await world.stopAll();
  });

  it('hands over at the next look of the other when the leader is stopped', async () => {
    const { world, a, b } = await twoCandidates();
    a.stop.abort();
    await world.clock.advance(0);
    await a.stopped;
    expect((await world.spec())?.holderIdentity).to.equal(undefined);
    await world.pass(2 * SECOND);
    expect(world.leaders()).to.deep.equal([b]);
    expect(b.terms).to.equal(1);
    await world.stopAll();
  });

  it('keeps the lease while the work of a stopped leader still ends', async () => {
    const { world, a, b } = await twoCandidates();
    a.lingerMs = 18 * SECOND;
    a.stop.abort();
    await world.pass(17 * SECOND);
    expect(world.leaders()).to.deep.equal([a]);
    await world.pass(4 * SECOND);
    expect(world.leaders()).to.deep.equal([b]);
    expect(a.lostBecause).to.deep.equal([]);
    await world.stopAll();
  });

  it('cuts off work that does not end in time after a stop', async () => {
    const { world, a } = await twoCandidates();
    a.lingerMs = 3600 * SECOND;
    a.stop.abort();
    await world.pass(21 * SECOND);
    await a.stopped;
    expect(String(a.lostBecause)).to.match(/hand-over took too long/);
    await world.clock.advance(3600 * SECOND);
    await world.stopAll();
  });

  for (const skewMs of [-600 * SECOND, 600 * SECOND]) {
    it(`is not misled by a leader whose clock is ${skewMs / 60_000} minutes off`, async () => {
      const { world, a, b } = await twoCandidates(skewMs);
      await world.pass(120 * SECOND);
      expect(world.leaders()).to.deep.equal([a]);
      a.freeze();
      await world.pass(20 * SECOND);
      expect(world.leaders()).to.deep.equal([b]);
      await world.stopAll();
    });
  }

  it('is not misled by a wall clock that jumps', async () => {
    const { world, a } = await twoCandidates();
    for (const jump of [-3600 * SECOND, 7200 * SECOND, -1]) {
      world.clock.jumpWallTime(jump);
      await world.pass(60 * SECOND);
    }
    expect(a.terms).to.equal(1);
    expect(world.leaders()).to.deep.equal([a]);
    await world.stopAll();
  });

  it('replaces a frozen leader, who knows it before anything else once he wakes', async () => {
    const { world, a, b } = await twoCandidates();
    a.freeze();
    await world.pass(20 * SECOND);
    expect(b.terms).to.equal(1);
    expect(a.election.isLeading()).to.equal(false);
    a.thaw();
    await world.pass(5 * SECOND);
    expect(a.lostBecause[0]).to.be.instanceOf(LeadershipLost);
    expect(world.leaders()).to.deep.equal([b]);
    await world.stopAll();
  });

  it('steps down before the others may take over when it alone is cut off', async () => {
    const { world, a, b } = await twoCandidates();
    const restore = world.cutOff('a');
    await world.pass(10 * SECOND);
    expect(world.leaders()).to.deep.equal([]);
    expect(String(a.lostBecause)).to.match(/could not be renewed in time/);
    await world.pass(10 * SECOND);
    expect(world.leaders()).to.deep.equal([b]);
    restore();
    await world.pass(60 * SECOND);
    expect(world.leaders()).to.deep.equal([b]);
    await world.stopAll();
  });

  it('finds one leader again after an outage of the API server', async () => {
    const { world } = await twoCandidates();
    const restore = world.cutOff();
    await world.pass(120 * SECOND);
    expect(world.leaders()).to.deep.equal([]);
    restore();
    await world.pass(3 * SECOND);
    expect(world.leaders()).to.have.length(1);
    await world.stopAll();
  });

  it('goes on leading through a short outage and through lost answers', async () => {
    const { world, a } = await twoCandidates();
    const restore = world.cutOff();
    await world.pass(6 * SECOND);
    restore();
    await world.pass(10 * SECOND);
    const loseAnswer = new KubeError('Unreachable', 'connection reset');
    world.server.faults.add({ match: ({ verb, user }) => verb === 'mergePatch' && user === 'a', times: 3, loseAnswer });
    await world.pass(60 * SECOND);
    expect(a.terms).to.equal(1);
    expect(world.leaders()).to.deep.equal([a]);
    await world.stopAll();
  });

  it('notices at the next renewal that somebody gave the lease to another', async () => {
    const { world, a } = await twoCandidates();
    await world.server.asUser('admin').mergePatch(LEASES, KEY, { spec: { holderIdentity: 'c' } });
    await world.clock.advance(2 * SECOND);
    expect(String(a.lostBecause)).to.match(/another took the lease/);
    await world.pass(20 * SECOND);
    expect(world.leaders()).to.have.length(1);
    await world.stopAll();
  });

  it('keeps its leadership when somebody touches or deletes the lease', async () => {
    const { world, a } = await twoCandidates();
    const admin = world.server.asUser('admin');
    await admin.mergePatch(LEASES, KEY, { metadata: { annotations: { seen: 'yes' } } });
    await world.pass(30 * SECOND);
    await admin.delete(LEASES, KEY);
    await world.pass(60 * SECOND);
    expect(world.leaders()).to.deep.equal([a]);
    expect(a.terms).to.equal(1);
    expect(await world.spec()).to.include({ holderIdentity: 'a', leaseTransitions: 0 });
    await world.stopAll();
  });

  it('says why it is not known who leads, and when that is over', async () => {
    const world = new World();
    const told: (string | undefined)[] = [];
    const restore = world.cutOff();
    new Candidate(world, 'a', { observer: { doubtful: (words) => told.push(words) } }).run();
    await world.pass(10 * SECOND);
    expect(told.at(-1)).to.match(/^connection refused; see whether it runs/);
    restore();
    await world.pass(3 * SECOND);
    expect(told.at(-1)).to.equal(undefined);
    await world.stopAll();
  });

  it('gives back the lease and ends when the work ends by itself, or fails', async () => {
    const world = new World();
    const { stop, election } = new Candidate(world, 'a');
    await election.run({ stop: stop.signal, onLeading: async () => undefined });
    expect((await world.spec())?.holderIdentity).to.equal(undefined);
    const failing = election.run({ stop: stop.signal, onLeading: async () => Promise.reject(new Error('broken')) });
    expect(await failing.catch(String)).to.equal('Error: broken');
    expect((await world.spec())?.holderIdentity).to.equal(undefined);
    expect(election.isLeading()).to.equal(false);
    expect(world.clock.sleeping).to.equal(0);
  });

  it('refuses times with which two could lead', () => {
    expect(() => new Candidate(new World(), 'a', { renewDeadlineMs: 15_000 })).to.throw(/renewDeadlineMs/);
  });
});

interface Mishap {
  kind: 'freeze' | 'cut' | 'loseAnswers' | 'slow' | 'jump' | 'restart';
  who: number;
  seconds: number;
}

const mishaps: fc.Arbitrary<Mishap> = fc.record({
  kind: fc.constantFrom('freeze', 'cut', 'loseAnswers', 'slow', 'jump', 'restart'),
  who: fc.nat(2),
  seconds: fc.integer({ min: 1, max: 25 }),
});

function strike(world: World, { kind, who, seconds }: Mishap): void {
  const candidate = world.candidates[who % world.candidates.length];
  const user = 'abc'[who] ?? 'a';
  const match = (call: { user: string }) => call.user === user;
  const later = (act: () => void) => void world.clock.sleep(seconds * SECOND).then(act);
  switch (kind) {
    case 'freeze':
      candidate?.freeze();
      later(() => candidate?.thaw());
      return;
    case 'cut':
      later(world.cutOff(user));
      return;
    case 'loseAnswers':
      world.server.faults.add({ match, times: seconds, loseAnswer: new KubeError('Timeout', 'no answer') });
      return;
    case 'slow':
      world.server.faults.add({
        match,
        times: seconds,
        requestDelay: () => 300 * seconds,
        answerDelay: () => 200 * who,
      });
      return;
    case 'jump':
      world.clock.jumpWallTime((seconds - 12) * 100 * SECOND);
      return;
    case 'restart':
      candidate?.stop.abort();
      new Candidate(world, `${user}-${world.candidates.length}`).run();
  }
}

describe('leader election under any mishaps', () => {
  it('never has two that believe they lead, and has a leader in the end', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(mishaps, fc.nat(20)), { maxLength: 8 }),
        fc.array(fc.double({ min: 0, max: 0.99, noNaN: true }), { minLength: 1, maxLength: 5 }),
        async (script, chances) => {
          let draws = 0;
          const world = new World(() => chances[(draws += 1) % chances.length] ?? 0);
          for (const identity of ['a', 'b', 'c']) {
            new Candidate(world, identity, { skewMs: world.candidates.length * 400 * SECOND }).run();
          }
          for (const [mishap, wait] of script) {
            strike(world, mishap);
            await world.pass(wait * SECOND);
          }
          await world.pass(25 * SECOND);
          world.server.faults.clear();
          await world.pass(30 * SECOND);
          expect(world.leaders()).to.have.length(1);
          await world.stopAll();
        },
      ),
      { numRuns: 40 },
    );
  });
});
