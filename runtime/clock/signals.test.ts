import { expect } from 'chai';
import { pause, whenAborted, withHardDeadline } from './signals.ts';
import { settle, VirtualClock } from './virtual.ts';

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

describe('withHardDeadline', () => {
  it('gives the result and leaves no timer behind', async () => {
    const clock = new VirtualClock();
    expect(await withHardDeadline({ clock, milliseconds: 100 }, async () => 'done')).to.equal('done');
    await settle();
    expect(clock.sleeping).to.equal(0);
  });

  it('rejects when the time is up, even for work that ignores its signal', async () => {
    const clock = new VirtualClock();
    let given: AbortSignal | undefined;
    const late = rejection(
      withHardDeadline({ clock, milliseconds: 100 }, async (signal) => {
        given = signal;
        return forever();
      }),
    );
    await clock.advance(100);
    expect(String(await late)).to.equal('DeadlineExceeded: not done within 0.1 s');
    expect(given?.aborted).to.equal(true);
  });

  it('rejects with the reason of the outer signal', async () => {
    const clock = new VirtualClock();
    const outer = new AbortController();
    const cut = rejection(withHardDeadline({ clock, milliseconds: 100, signal: outer.signal }, forever));
    outer.abort(new Error('enough'));
    expect(String(await cut)).to.equal('Error: enough');
    expect(
      String(await rejection(withHardDeadline({ clock, milliseconds: 100, signal: outer.signal }, forever))),
    ).to.equal('Error: enough');
    await settle();
    expect(clock.sleeping).to.equal(0);
  });

  it('passes on the failure of the work', async () => {
    const clock = new VirtualClock();
    const failed = rejection(
      withHardDeadline({ clock, milliseconds: 100 }, async () => Promise.reject(new Error('broken'))),
    );
    expect(String(await failed)).to.equal('Error: broken');
  });
});
