import { expect } from 'chai';
import { DriverError } from '#node-daemon/hypervisor/errors.ts';
import { VirtualClock } from '#runtime/clock/virtual.ts';
import { NotConnected } from '../rpc/session.ts';
import { OpenStarts } from './starts.ts';

const uuid = '3f2504e0-4f89-41d3-9a0c-0305e82c3301';

describe('a start', () => {
  let clock: VirtualClock;
  let starts: OpenStarts;
  beforeEach(() => {
    clock = new VirtualClock();
    starts = new OpenStarts(clock);
  });

  async function ended(failure?: DriverError): Promise<void> {
    const start = async (): Promise<void> => {
      if (failure !== undefined) {
        throw failure;
      }
    };
    await Promise.allSettled([starts.track(uuid, start)]);
  }

  it('is open as long as somebody waits for it', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const first = starts.track(uuid, () => promise);
    await ended();
    expect(starts.isOpen(uuid), 'while the first is waited for').to.equal(true);
    resolve();
    await first;
    expect(starts.isOpen(uuid)).to.equal(false);
  });

  it('is settled by an answer, whatever it is', async () => {
    await ended(new DriverError('NoRoom', 'no memory'));
    expect(starts.isOpen(uuid)).to.equal(false);
  });

  it('that was never asked for, for want of a connection, is settled', async () => {
    await ended(new NotConnected('Unreachable', 'libvirt is gone'));
    expect(starts.isOpen(uuid)).to.equal(false);
  });

  for (const reason of ['Timeout', 'Unreachable'] as const) {
    it(`stays open for a minute where it ended by ${reason}: the request may still be carried out`, async () => {
      await ended(new DriverError(reason, 'no answer'));
      await clock.advance(59_999);
      expect(starts.isOpen(uuid)).to.equal(true);
      await clock.advance(1);
      expect(starts.isOpen(uuid)).to.equal(false);
    });
  }
});
