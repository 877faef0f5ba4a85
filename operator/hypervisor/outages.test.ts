import { expect } from 'chai';
import { Outages } from './outages.ts';

const GRACE = 40_000;

describe('the outage of a hypervisor', () => {
  it('is none while it answers', () => {
    const outages = new Outages(GRACE, 0);
    outages.see('hv1', true, 0);
    expect(outages.graceLeft('hv1', 100_000)).to.equal(undefined);
  });

  it('has a grace from when it was first seen', () => {
    const outages = new Outages(GRACE, 0);
    outages.see('hv1', false, 10_000);
    outages.see('hv1', false, 30_000);
    const left = [10_000, 49_999, 50_000, 90_000].map((now) => outages.graceLeft('hv1', now));
    expect(left).to.deep.equal([40_000, 1, 0, 0]);
    expect(outages.graceLeft('hv2', 90_000)).to.equal(undefined);
  });

  it('begins anew after it has answered, and after it was forgotten', () => {
    const outages = new Outages(GRACE, 0);
    for (const end of [() => outages.see('hv1', true, 60_000), () => outages.forget('hv1')]) {
      outages.see('hv1', false, 0);
      end();
      outages.see('hv1', false, 70_000);
      expect(outages.graceLeft('hv1', 80_000)).to.equal(30_000);
      outages.forget('hv1');
    }
  });

  it('is counted anew after we were deaf', () => {
    const outages = new Outages(GRACE, 0);
    outages.see('hv1', false, 0);
    outages.listenAnew(100_000);
    expect(outages.graceLeft('hv1', 110_000)).to.equal(30_000);
  });
});
