// How what happens to a guest is noticed: at once where the hypervisor calls back, at the next scan where it does not.
import { expect } from 'chai';
import { hypervisorResource } from '#crds/v1alpha1/kinds.ts';
import { Site } from './site.ts';
import { PATIENCE_MS } from './story.ts';

const STEP_MS = 250;

/** Milliseconds from what `act` does until the VM is told to have ended. */
async function toldAfter(site: Site, name: string, act: () => void): Promise<number> {
  const endedAt = async () => (await site.machine(name)).status?.lastTermination?.time;
  const before = await endedAt();
  const began = site.clock.monotonic();
  act();
  while ((await endedAt()) === before) {
    await site.clock.advance(STEP_MS);
    if (site.clock.monotonic() - began > 120_000) throw new Error('it was never told');
  }
  return site.clock.monotonic() - began;
}

async function scanEvery(site: Site, scanIntervalSeconds: number): Promise<void> {
  await site.user.mergePatch(hypervisorResource, { name: 'hv1' }, { spec: { scanIntervalSeconds } });
  await site.clock.advance(60_000);
}

describe('the end of a guest', function () {
  this.timeout(PATIENCE_MS);
  let site: Site;
  let uuid: string;
  const crash = () => site.crash(uuid);

  beforeEach(async () => {
    site = await new Site({ hypervisors: { hv1: {} } }).open();
    await site.create('web', { restartPolicy: 'Always' });
    await site.clock.advance(60_000);
    uuid = await site.uuidOf('web');
  });
  afterEach(async () => site.close());

  it('is told within a second where the hypervisor calls back', async () => {
    expect(await toldAfter(site, 'web', crash)).to.be.at.most(1_000);
  });

  it('is told at the next scan where it does not, and the interval is changed while all runs', async () => {
    site.host('hv1').loseEvents(Number.POSITIVE_INFINITY);
    expect(await toldAfter(site, 'web', crash)).to.be.within(1_000, 32_000);
    await scanEvery(site, 5);
    expect(await toldAfter(site, 'web', crash)).to.be.at.most(7_000);
    await scanEvery(site, 60);
    await site.clock.advance(61_000);
    expect(await toldAfter(site, 'web', crash)).to.be.within(30_000, 62_000);
  });
});
