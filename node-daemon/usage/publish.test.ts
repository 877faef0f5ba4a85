import { expect } from 'chai';
import fc from 'fast-check';
import type { Usage } from '#crds/v1alpha1/fragments.ts';
import {
  decidePublications,
  EMPTY_LEDGER,
  type PublishCandidate,
  type PublishContext,
  type PublishLedger,
  type PublishLimits,
} from './publish.ts';
import { perResource, perWindow, type UsageAverages } from './resources.ts';

const limits: PublishLimits = { intervalMilliseconds: 60_000, jitter: 0.2, writesPerMinute: 30 };
const WALL = Date.UTC(2026, 0, 1);

/** Averages of one CPU load in all windows and a fixed load of everything else. */
function averagesOf(cpu: number): UsageAverages {
  return { ...perResource(() => perWindow(() => 1_000_000)), cpu: perWindow(() => cpu) };
}

function contextAt(monotonic: number, changes: Partial<PublishLimits> = {}, random = () => 0.5): PublishContext {
  return { limits: { ...limits, ...changes }, time: { monotonic, wall: WALL + monotonic }, random };
}

/** Plays passes of ten seconds: decides, and lets every write succeed. */
class Play {
  readonly published = new Map<string, Usage>();
  readonly writes: { key: string; at: number }[] = [];
  #ledger: PublishLedger = EMPTY_LEDGER;
  readonly #changes: Partial<PublishLimits>;

  constructor(changes: Partial<PublishLimits> = {}) {
    this.#changes = changes;
  }

  pass(at: number, loads: Readonly<Record<string, number>>): string[] {
    const candidates = Object.entries(loads).map(
      ([key, cpu]): PublishCandidate => ({
        key,
        averages: averagesOf(cpu),
        cpus: 2,
        published: this.published.get(key),
      }),
    );
    const decision = decidePublications(candidates, this.#ledger, contextAt(at, this.#changes));
    this.#ledger = decision.ledger;
    for (const { key, usage } of decision.publications) {
      this.published.set(key, usage);
      this.writes.push({ key, at });
    }
    return decision.publications.map(({ key }) => key);
  }
}

describe('publishing usage', () => {
  it('writes what was never written at once, in steps and dated', () => {
    const play = new Play();
    expect(play.pass(0, { a: 730 })).to.deep.equal(['a']);
    expect(play.published.get('a')).to.deep.include({
      time: '2026-01-01T00:00:00Z',
      cpu: { oneMinute: 750, fiveMinutes: 750, fifteenMinutes: 750 },
      cpuPercent: { oneMinute: 38, fiveMinutes: 38, fifteenMinutes: 38 },
    });
  });

  it('writes nothing as long as nothing moves by more than noise', () => {
    const play = new Play();
    play.pass(0, { a: 1_000 });
    for (let at = 10_000; at < 3_600_000; at += 10_000) {
      expect(play.pass(at, { a: 1_000 * (0.97 + 0.06 * ((at / 10_000) % 2)) })).to.deep.equal([]);
    }
  });

  it('writes the same object no sooner than after interval and jitter', () => {
    const play = new Play();
    play.pass(0, { a: 100 });
    expect(play.pass(60_000, { a: 900 })).to.deep.equal([]);
    expect(play.pass(65_999, { a: 900 })).to.deep.equal([]);
    expect(play.pass(66_000, { a: 900 })).to.deep.equal(['a']);
  });

  it('takes an interval below a minute as a minute', () => {
    const play = new Play({ intervalMilliseconds: 1, jitter: 0 });
    play.pass(0, { a: 100 });
    expect(play.pass(59_999, { a: 900 })).to.deep.equal([]);
    expect(play.pass(60_000, { a: 900 })).to.deep.equal(['a']);
  });

  it('keeps the interval of an object that was out of sight for a moment', () => {
    const play = new Play();
    play.pass(0, { a: 100 });
    play.pass(10_000, {});
    expect(play.pass(20_000, { a: 900 })).to.deep.equal([]);
  });

  it('keeps the interval across a restart of the daemon, by the time that the object shows', () => {
    const published = { ...usageOf(100), time: '2026-01-01T00:00:00Z' };
    const candidate = { key: 'a', averages: averagesOf(900), cpus: 2, published };
    const soon = decidePublications([candidate], EMPTY_LEDGER, contextAt(30_000));
    expect(soon.publications).to.deep.equal([]);
    expect(decidePublications([candidate], soon.ledger, contextAt(59_999)).publications).to.deep.equal([]);
    expect(decidePublications([candidate], soon.ledger, contextAt(60_000)).publications).to.have.length(1);
  });

  it('is not held back by a time in the future, as a clock that was set back leaves it', () => {
    const published = { ...usageOf(100), time: '2027-01-01T00:00:00Z' };
    const candidate = { key: 'a', averages: averagesOf(900), cpus: 2, published };
    expect(decidePublications([candidate], EMPTY_LEDGER, contextAt(0)).publications).to.have.length(1);
  });

  it('writes the biggest change first where the budget is short', () => {
    const play = new Play({ writesPerMinute: 3 });
    play.pass(0, { small: 100, big: 100, middle: 100 });
    expect(play.pass(80_000, { small: 200, big: 800, middle: 400 })).to.deep.equal(['big', 'middle', 'small']);
    const other = new Play({ writesPerMinute: 2 });
    other.pass(0, { small: 100, big: 100 });
    other.pass(70_000, { small: 100, big: 100, middle: 100 });
    expect(other.pass(120_000, { small: 200, big: 800, middle: 400 })).to.deep.equal(['big']);
  });

  it('leaves nobody waiting for ever: who waits becomes urgent', () => {
    const play = new Play({ writesPerMinute: 2 });
    const names = ['b1', 'b2', 'b3', 'b4', 'b5', 'b6'];
    for (let round = 0; round < 120; round += 1) {
      const busy = Object.fromEntries(names.map((name) => [name, round % 2 === 0 ? 100 : 4_000]));
      play.pass(round * 10_000, { ...busy, quiet: round < 20 ? 100 : 200 });
    }
    expect(play.writes.filter(({ key }) => key === 'quiet').length).to.be.at.least(2);
  });
});

describe('publishing usage, whatever happens', () => {
  const pass = fc.record({
    gap: fc.integer({ min: 1_000, max: 40_000 }),
    loads: fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), fc.nat(4_000)),
  });

  it('keeps the budget of the node within any minute and the interval of every object', () => {
    fc.assert(
      fc.property(fc.array(pass, { maxLength: 60 }), fc.integer({ min: 0, max: 5 }), (passes, writesPerMinute) => {
        const play = new Play({ writesPerMinute });
        let at = 0;
        for (const { gap, loads } of passes) {
          at += gap;
          play.pass(at, loads);
        }
        for (const write of play.writes) {
          const within = play.writes.filter((other) => other.at > write.at - 60_000 && other.at <= write.at);
          expect(within.length).to.be.at.most(writesPerMinute);
          expect(within.filter(({ key }) => key === write.key)).to.have.length(1);
        }
      }),
    );
  });

  it('comes to rest: steady loads are all written once and never again', () => {
    const loads = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), fc.nat(4_000));
    fc.assert(
      fc.property(loads, (steady) => {
        const play = new Play({ writesPerMinute: 1 });
        for (let at = 0; at < 900_000; at += 10_000) {
          play.pass(at, steady);
        }
        expect(play.writes.map(({ key }) => key).sort()).to.deep.equal(Object.keys(steady).sort());
      }),
      { numRuns: 30 },
    );
  });
});

function usageOf(cpu: number): Usage {
  const { publications } = decidePublications(
    [{ key: 'a', averages: averagesOf(cpu), cpus: 2, published: undefined }],
    EMPTY_LEDGER,
    contextAt(0),
  );
  return publications[0]?.usage as Usage;
}
