import { expect } from 'chai';
import fc from 'fast-check';
import { VirtualClock } from './virtual.ts';

describe('virtual time', () => {
  it('stands still until it is advanced', async () => {
    const clock = new VirtualClock({ startsAt: 1000 });
    const slept = clock.sleep(10);
    await clock.advance(9);
    expect([clock.now(), clock.monotonic(), clock.sleeping]).to.deep.equal([1009, 9, 1]);
    await clock.advance(1);
    await slept;
    expect(clock.sleeping).to.equal(0);
  });

  it('wakes sleepers in the order of their time and then of their arrival, each at its own time', async () => {
    const naps = fc.array(fc.nat(20), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(naps, async (durations) => {
        const clock = new VirtualClock();
        const woken: [time: number, sleeper: number][] = [];
        durations.forEach((duration, sleeper) => {
          void clock.sleep(duration).then(() => woken.push([clock.monotonic(), sleeper]));
        });
        await clock.advance(20);
        const expected = durations.map((duration, sleeper): [number, number] => [duration, sleeper]);
        expect(woken).to.deep.equal(expected.sort(([a, i], [b, j]) => a - b || i - j));
      }),
      { numRuns: 30 },
    );
  });

  it('wakes those, too, who lie down again meanwhile', async () => {
    const clock = new VirtualClock();
    const times: number[] = [];
    const nap = async (): Promise<void> => {
      for (let count = 0; count < 3; count += 1) {
        await clock.sleep(10);
        times.push(clock.monotonic());
      }
    };
    void nap();
    await clock.advance(25);
    expect(times).to.deep.equal([10, 20]);
    await clock.advance(5);
    expect(times).to.deep.equal([10, 20, 30]);
  });

  it('ends a sleep with the reason of its signal', async () => {
    const clock = new VirtualClock();
    const enough = new AbortController();
    const slept = clock.sleep(10, enough.signal).then(String, String);
    enough.abort(new Error('enough'));
    expect(await slept).to.equal('Error: enough');
    expect(clock.sleeping).to.equal(0);
    expect(await clock.sleep(10, enough.signal).then(String, String)).to.equal('Error: enough');
  });

  it('lets the wall clock be set without time passing', async () => {
    const clock = new VirtualClock({ startsAt: 1000 });
    clock.jumpWallTime(-600);
    expect([clock.now(), clock.monotonic()]).to.deep.equal([400, 0]);
    await clock.advance(5);
    expect([clock.now(), clock.monotonic()]).to.deep.equal([405, 5]);
  });
});
