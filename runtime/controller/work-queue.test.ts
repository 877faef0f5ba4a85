import { expect } from 'chai';
import * as fc from 'fast-check';
import { settle, VirtualClock } from '../clock/virtual.ts';
import { WorkQueue, type WorkQueueObserver } from './work-queue.ts';

function setUp(observer: WorkQueueObserver = {}) {
  const clock = new VirtualClock();
  const backoff = { baseMs: 100, maxMs: 1000 };
  const queue = new WorkQueue({ clock, random: () => 0, backoff, observer });
  return { clock, queue };
}

describe('the work queue', () => {
  it('hands out keys in the order in which they came, each once', async () => {
    const { queue } = setUp();
    for (const key of ['a', 'b', 'a', 'c', 'b']) {
      queue.add(key);
    }
    expect([await queue.take(), await queue.take(), await queue.take()]).to.deep.equal(['a', 'b', 'c']);
    expect(queue.depth).to.equal(0);
  });

  it('lets a worker wait for the next key', async () => {
    const { queue } = setUp();
    const taken = [queue.take(), queue.take()];
    queue.add('a');
    queue.add('b');
    expect(await Promise.all(taken)).to.deep.equal(['a', 'b']);
  });

  it('hands out a key that was added while it was worked on once more, and only after it was done', async () => {
    const { queue } = setUp();
    queue.add('a');
    await queue.take();
    queue.add('a');
    queue.add('a');
    queue.add('b');
    expect(await queue.take()).to.equal('b');
    expect(queue.depth).to.equal(0);
    queue.done('a');
    expect(await queue.take()).to.equal('a');
    queue.done('a');
    expect(queue.depth).to.equal(0);
  });

  it('holds the earliest of several delays', async () => {
    const { clock, queue } = setUp();
    queue.addAfter('a', 500);
    queue.addAfter('a', 200);
    queue.addAfter('a', 800);
    await clock.advance(199);
    expect(queue.depth).to.equal(0);
    await clock.advance(1);
    expect(await queue.take()).to.equal('a');
    queue.done('a');
    await clock.advance(1000);
    expect(queue.depth).to.equal(0);
    expect(clock.sleeping).to.equal(0);
  });

  it('adds at once when there is nothing to wait for', () => {
    const { queue } = setUp();
    queue.addAfter('a', 0);
    queue.addAfter('b', Number.NaN);
    expect(queue.depth).to.equal(2);
  });

  it('comes back within a day, however long the delay', async () => {
    const { clock, queue } = setUp();
    queue.addAfter('a', Number.POSITIVE_INFINITY);
    await clock.advance(86_400_000);
    expect(queue.depth).to.equal(1);
  });

  it('waits longer after each failure of a key until it is forgotten', async () => {
    const { clock, queue } = setUp();
    for (const wait of [100, 200, 400]) {
      queue.addAfterFailure('a');
      await clock.advance(wait - 1);
      expect(queue.depth).to.equal(0);
      await clock.advance(1);
      expect(await queue.take()).to.equal('a');
      queue.done('a');
    }
    expect(queue.failures('a')).to.equal(3);
    queue.forget('a');
    queue.addAfterFailure('a');
    await clock.advance(100);
    expect(queue.depth).to.equal(1);
  });

  it('waits as long as a server asked for', async () => {
    const { clock, queue } = setUp();
    queue.addAfterFailure('a', 5000);
    await clock.advance(4999);
    expect(queue.depth).to.equal(0);
    await clock.advance(1);
    expect(queue.depth).to.equal(1);
  });

  it('sends idle workers home when it is closed, and takes nothing more', async () => {
    const { clock, queue } = setUp();
    const idle = queue.take();
    queue.addAfter('a', 10);
    queue.close();
    queue.add('b');
    queue.addAfter('c', 10);
    expect(await idle).to.equal(undefined);
    expect(await queue.take()).to.equal(undefined);
    expect(clock.sleeping).to.equal(0);
  });

  it('tells its observer how long keys waited', async () => {
    const seen: unknown[] = [];
    const { clock, queue } = setUp({
      added: (depth) => seen.push(['added', depth]),
      taken: (waitedMs, depth) => seen.push(['taken', waitedMs, depth]),
      retried: () => seen.push(['retried']),
    });
    queue.add('a');
    await clock.advance(30);
    await queue.take();
    queue.addAfterFailure('a');
    expect(seen).to.deep.equal([['added', 1], ['taken', 30, 0], ['retried']]);
  });

  it('takes ten thousand keys without slowing down', async () => {
    const { queue } = setUp();
    for (let index = 0; index < 10_000; index += 1) {
      queue.add(`key-${index}`);
    }
    const began = performance.now();
    while (queue.depth > 0) {
      queue.done((await queue.take()) ?? '');
    }
    expect(performance.now() - began).to.be.lessThan(2000);
  });
});

const KEYS = ['a', 'b', 'c', 'd'];

type Step = { add: string } | { addAfter: string; wait: number } | { advance: number };

const steps: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ add: fc.constantFrom(...KEYS) }),
  fc.record({ addAfter: fc.constantFrom(...KEYS), wait: fc.integer({ min: 0, max: 50 }) }),
  fc.record({ advance: fc.integer({ min: 0, max: 30 }) }),
);

/** Workers that take 0 to 20 ms for a key, fail some of the time, and write down when they began with which key. */
function startWorkers(queue: WorkQueue, clock: VirtualClock, { count, works }: { count: number; works: number[] }) {
  const current = new Set<string>();
  const begun = new Map<string, number>();
  let turn = 0;
  async function work(): Promise<void> {
    for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
      expect(current.has(key), `two workers on ${key}`).to.equal(false);
      current.add(key);
      expect(current.size).to.be.at.most(count);
      begun.set(key, turn);
      turn += 1;
      const duration = works[turn % works.length] ?? 0;
      await clock.sleep(duration);
      current.delete(key);
      if (duration % 5 === 4 && queue.failures(key) < 3) {
        queue.addAfterFailure(key);
      } else {
        queue.forget(key);
      }
      queue.done(key);
    }
  }
  const workers = Promise.all(Array.from({ length: count }, work));
  return { begun, workers, turn: () => turn };
}

describe('the work queue under any sequence of additions and any workers', () => {
  it('never lets two workers have one key, and has every key worked on after it was last added', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(steps, { maxLength: 40 }),
        fc.integer({ min: 1, max: 3 }),
        fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 7 }),
        async (script, count, works) => {
          const { clock, queue } = setUp();
          const { begun, workers, turn } = startWorkers(queue, clock, { count, works });
          const lastAdded = new Map<string, number>();
          for (const step of script) {
            if ('advance' in step) {
              await clock.advance(step.advance);
            } else if ('add' in step) {
              lastAdded.set(step.add, turn());
              queue.add(step.add);
            } else {
              lastAdded.set(step.addAfter, turn());
              queue.addAfter(step.addAfter, step.wait);
            }
          }
          await clock.advance(20_000);
          for (const [key, turnThen] of lastAdded) {
            expect(begun.get(key), `${key} was lost`).to.be.at.least(turnThen);
          }
          expect(queue.depth).to.equal(0);
          expect(clock.sleeping).to.equal(0);
          queue.close();
          await workers;
          await settle();
        },
      ),
      { numRuns: 200 },
    );
  });
});
