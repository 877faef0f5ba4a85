import { expect } from 'chai';
import { settle, VirtualClock } from './clock-virtual.ts';
import { isKubeError } from './kube/errors.ts';
import { pause, whenAborted, withDeadline } from './signals.ts';

async function forever<T>(): Promise<T> {
  return new Promise<T>(() => undefined);
}

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.fail('should reject'),
    (error: unknown) => error,
  );
}

describe('whenAborted', () => {
  it('resolves with the first of several signals', async () => {
    const one = new AbortController();
    const two = new AbortController();
    const waiting = whenAborted(one.signal, two.signal);
    two.abort();
    await waiting;
    await whenAborted(one.signal, two.signal);
  });
});

describe('pause', () => {
  it('ends after its time or with the signal, quietly', async () => {
    const clock = new VirtualClock();
    const cut = new AbortController();
    const first = pause(clock, 100, cut.signal);
    await clock.advance(100);
    await first;
    const second = pause(clock, 100, cut.signal);
    cut.abort();
    await second;
    expect(clock.sleeping).to.equal(0);
  });
});

describe('withDeadline', () => {
  it('gives the result and leaves no timer behind', async () => {
    const clock = new VirtualClock();
    expect(await withDeadline(clock, 100, undefined, async () => 'done')).to.equal('done');
    await settle();
    expect(clock.sleeping).to.equal(0);
  });

  it('rejects with Timeout when the time is up, even for work that ignores its signal', async () => {
    const clock = new VirtualClock();
    let given: AbortSignal | undefined;
    const late = rejection(
      withDeadline(clock, 100, undefined, async (signal) => {
        given = signal;
        return forever();
      }),
    );
    await clock.advance(100);
    expect(isKubeError(await late, 'Timeout')).to.equal(true);
    expect(given?.aborted).to.equal(true);
  });

  it('rejects with the reason of the outer signal', async () => {
    const clock = new VirtualClock();
    const outer = new AbortController();
    const cut = rejection(withDeadline(clock, 100, outer.signal, forever));
    outer.abort(new Error('enough'));
    expect(String(await cut)).to.equal('Error: enough');
    expect(String(await rejection(withDeadline(clock, 100, outer.signal, forever)))).to.equal('Error: enough');
    await settle();
    expect(clock.sleeping).to.equal(0);
  });

  it('passes on the failure of the work', async () => {
    const clock = new VirtualClock();
    const failed = rejection(withDeadline(clock, 100, undefined, async () => Promise.reject(new Error('broken'))));
    expect(String(await failed)).to.equal('Error: broken');
  });
});
