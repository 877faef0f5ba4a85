import { expect } from 'chai';
import { VirtualClock } from '#runtime/clock/virtual.ts';
import { condition } from '#test/builders/condition.ts';
import { hypervisor } from '#test/builders/hypervisor.ts';
import { TIME, timeAfter } from '#test/builders/time.ts';
import { silentSinceOf } from './observe.ts';
import { Heartbeats } from './silence.ts';

describe('since when a hypervisor is silent', () => {
  const told = hypervisor({ status: { conditions: [condition('Ready', 'Unknown', { reason: 'Silent' })] } });

  function listening() {
    const clock = new VirtualClock();
    return { clock, heartbeats: new Heartbeats(40_000, clock.monotonic()) };
  }

  it('is never, while it is heard', async () => {
    const site = listening();
    await site.clock.advance(39_000);
    expect(silentSinceOf(site, hypervisor())).to.equal(undefined);
  });

  it('is when it was heard last, by our own clock', async () => {
    const site = listening();
    await site.clock.advance(10_000);
    site.heartbeats.hear('hv1', 'a', site.clock.monotonic());
    await site.clock.advance(60_000);
    expect(silentSinceOf(site, hypervisor())).to.equal(timeAfter(10));
  });

  it('is when an earlier operator told so, until its daemon itself speaks again', async () => {
    const site = listening();
    site.heartbeats.hear('hv1', 'a', 0);
    await site.clock.advance(10_000);
    site.heartbeats.hear('hv1', 'b', site.clock.monotonic());
    expect(silentSinceOf(site, told)).to.equal(TIME);
    expect(silentSinceOf(site, hypervisor())).to.equal(undefined);
  });
});
