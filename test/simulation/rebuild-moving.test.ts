// The control plane is lost, or goes back in time, around a guest that moves from one hypervisor to another. It must be
// found where it runs, and never be started a second time.
import { expect } from 'chai';
import { CONFIRM_HOLD_ANNOTATION } from '#crds/v1alpha1/names.ts';
import { steadyLoad } from '#node-daemon/hypervisor/simulated/load.ts';
import { CONFIG_MAPS } from '#operator/site/record.ts';
import { closeUnbroken, expectTrue } from './settled.ts';
import { Site } from './site.ts';

const PATIENCE_MS = 300_000;
/** From the wish to the end of the move takes 1.4 s. */
const MOMENTS_MS = [0, 60, 120, 250, 400, 600, 800, 900, 940, 980, 1_020, 1_100, 1_300, 1_600];
const NO_LOAD = steadyLoad({
  cpuMillis: 0,
  memoryBytes: 0,
  networkReceive: 0,
  networkTransmit: 0,
  diskRead: 0,
  diskWrite: 0,
});

async function departing(): Promise<Site> {
  const each = { load: () => NO_LOAD, copyMilliseconds: 800, handOverMilliseconds: 60 };
  const site = await new Site({ hypervisors: { hv1: each, hv2: each }, latencyMilliseconds: 4 }).open();
  await site.create('web', {
    placement: { preferredHypervisors: ['hv1'] },
    recovery: { onLost: 'Hold', lostTimeoutSeconds: 300, onMissing: 'Recreate' },
  });
  await site.clock.advance(10_000);
  return site;
}

function starts(site: Site): string[] {
  return site.witness.happenings.filter(({ what }) => what === 'started').map(({ host }) => host);
}

async function told(site: Site): Promise<string> {
  const { status } = await site.machine('web');
  return `${status?.phase} ${status?.placement?.hypervisor} ${status?.placement?.epoch}`;
}

async function holdIn(site: Site): Promise<string> {
  const { data = {} } = (await site.siteRecord()) as { data?: Record<string, string> };
  return data.hold ?? '';
}

describe('a guest that moves while a backup is taken', () => {
  for (const moment of MOMENTS_MS) {
    it(`is found where it has moved to, after ${moment} ms`, async () => {
      const site = await departing();
      await site.maintain('hv1', true);
      await site.clock.advance(moment);
      const backup = site.api.backup();
      await site.clock.advance(60_000);
      expect(await told(site)).to.equal('Running hv2 2');
      site.api.restore(backup);
      await site.clock.advance(300_000);
      expect(await told(site)).to.equal('Running hv2 2');
      expect(starts(site)).to.deep.equal(['hv1']);
      expect(await holdIn(site)).to.equal('');
      expectTrue(site, await site.machine('web'));
      await closeUnbroken(site);
    }).timeout(PATIENCE_MS);
  }

  it('and moves back and is started anew since, is found there', async () => {
    const site = await departing();
    await site.maintain('hv1', true);
    await site.clock.advance(600);
    const backup = site.api.backup();
    await site.clock.advance(60_000);
    await site.edit('web', { powerState: 'Stopped' });
    await site.clock.advance(60_000);
    await site.edit('web', { powerState: 'Running' });
    await site.clock.advance(60_000);
    expect(await told(site)).to.equal('Running hv2 3');
    site.api.restore(backup);
    await site.clock.advance(300_000);
    expect(await told(site)).to.equal('Running hv2 3');
    expect(starts(site)).to.deep.equal(['hv1', 'hv2']);
    await closeUnbroken(site);
  }).timeout(PATIENCE_MS);
});

describe('a guest that moves while the control plane is lost', () => {
  for (const moment of MOMENTS_MS) {
    it(`is given its VM back where it runs, or a person is asked, after ${moment} ms`, async () => {
      const site = await departing();
      const record = await site.siteRecord();
      await site.maintain('hv1', true);
      await site.clock.advance(moment);
      await site.loseControlPlane([record]);
      await site.clock.advance(120_000);
      expect(starts(site)).to.deep.equal(['hv1']);
      const machines = await site.machines();
      if (machines.length > 0) {
        expect(await told(site)).to.match(/^Running hv[12] [12]$/);
        expectTrue(site, await site.machine('web'));
      } else {
        const hold = await holdIn(site);
        expect(hold).to.match(/a guest runs where it was not signed for/);
        const [, id = ''] = /^Hold (\S+):/.exec(hold) ?? [];
        const { name, namespace = '' } = record.metadata;
        const metadata = { annotations: { [CONFIRM_HOLD_ANNOTATION]: id } };
        await site.user.mergePatch(CONFIG_MAPS, { name, namespace }, { metadata });
        await site.clock.advance(60_000);
        expect([await holdIn(site), ...starts(site)]).to.deep.equal(['', 'hv1']);
      }
      await closeUnbroken(site);
    }).timeout(PATIENCE_MS);
  }
});
