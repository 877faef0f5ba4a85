import { expect } from 'chai';
import { withDeadline } from './deadline.ts';
import { VirtualClock } from './virtual.ts';

describe('a deadline', () => {
  const clock = new VirtualClock();

  function untilAborted(signal: AbortSignal): Promise<string> {
    return new Promise((resolve) => {
      const tell = (): void => resolve(String(signal.reason));
      signal.addEventListener('abort', tell);
      if (signal.aborted) {
        tell();
      }
    });
  }

  it('gives back what the work gives, and leaves nobody asleep', async () => {
    expect(await withDeadline({ clock, milliseconds: 10 }, async () => 'done')).to.equal('done');
    const failed = withDeadline({ clock, milliseconds: 10 }, () => Promise.reject(new Error('no')));
    expect(await failed.catch(String)).to.equal('Error: no');
    await clock.advance(0);
    expect(clock.sleeping).to.equal(0);
  });

  it('tells the work when its time is up', async () => {
    const told = withDeadline({ clock, milliseconds: 2500 }, untilAborted);
    await clock.advance(2500);
    expect(await told).to.equal('DeadlineExceeded: not done within 2.5 s');
  });

  it('tells the work when the caller gives up, also if that was before', async () => {
    const caller = new AbortController();
    const told = withDeadline({ clock, milliseconds: 2500, signal: caller.signal }, untilAborted);
    caller.abort(new Error('enough'));
    expect(await told).to.equal('Error: enough');
    const late = withDeadline({ clock, milliseconds: 2500, signal: caller.signal }, untilAborted);
    expect(await late).to.equal('Error: enough');
  });
});
