// What nobody would do on purpose, told as stories: two VMs on one disk, a machine that is full, a clock that jumps.
import { expect } from 'chai';
import { findCondition } from '#crds/conditions.ts';
import type { Disk } from '#operator/placement/disk-uses.ts';
import type { Site } from './site.ts';
import { PATIENCE_MS, play, says, tell } from './story.ts';

const ONE = { hypervisors: { hv1: {} } };
const TWO = { hypervisors: { hv1: {}, hv2: {} } };
const ON_HV1 = { placement: { preferredHypervisors: ['hv1'] } };
const DISK: Disk = { name: 'root', pool: 'default', volume: 'web.qcow2', format: 'qcow2' };
const YEARS = 10 * 365 * 24 * 3_600_000;

describe('the story of bad input', function () {
  this.timeout(PATIENCE_MS);

  it('of two VMs that claim one disk: the second waits, is told for whom, and has its turn', async () => {
    await tell('disk-in-use', ONE, async (site) => {
      await says(site, 'adele creates one with a disk', async () => site.create('one', { disks: [DISK] }), 5);
      await says(site, 'adele creates two with the same disk', async () => site.create('two', { disks: [DISK] }), 60);
      expect(await placedOf(site, 'two')).to.equal('False DiskInUse');
      await says(site, 'adele stops one', async () => site.edit('one', { powerState: 'Stopped' }), 90);
      expect(await site.phaseOf('two')).to.equal('Running');
      await says(site, 'adele starts one', async () => site.edit('one', { powerState: 'Running' }), 30);
      expect(await placedOf(site, 'one')).to.equal('False DiskInUse');
    });
  });

  it('of two VMs that are created at once with one disk', async () => {
    await play(ONE, async (site) => {
      await Promise.all(['one', 'two'].map(async (name) => site.create(name, { disks: [DISK] })));
      await site.clock.advance(60_000);
      const phases = await Promise.all(['one', 'two'].map(async (name) => site.phaseOf(name)));
      expect(phases).to.have.members(['Running', 'Scheduling']);
    });
  });

  it('of many VMs that only read one disk: all run', async () => {
    await play(ONE, async (site) => {
      const disks = [{ ...DISK, readOnly: true }];
      for (const name of ['one', 'two', 'three']) await site.create(name, { disks });
      await site.clock.advance(30_000);
      for (const name of ['one', 'two', 'three']) expect(await site.phaseOf(name)).to.equal('Running');
    });
  });

  for (const [when, jump] of [
    ['ten years ahead', YEARS],
    ['ten years back', -YEARS],
    ['an hour ahead', 3_600_000],
    ['an hour back', -3_600_000],
  ] as const) {
    it(`of a clock that jumps ${when}: no guest is lost, and all goes on`, async () => {
      await play(TWO, async (site) => {
        await site.create('steady', ON_HV1);
        await site.create('crashing', ON_HV1);
        await site.clock.advance(1_200_000);
        site.forgetWrites();
        site.clock.jumpWallTime(jump);
        await site.clock.advance(600_000);
        expect(site.machineWrites(), 'writes for the clock alone').to.deep.equal([]);
        site.crash(await site.uuidOf('crashing'));
        await site.create('new');
        await site.clock.advance(30_000);
        for (const name of ['steady', 'crashing', 'new']) expect(await site.phaseOf(name)).to.equal('Running');
        site.kill('hv1');
        await site.clock.advance(28_000);
        expect(await site.phaseOf('steady')).to.equal('Running');
        await site.clock.advance(20_000);
        expect(await site.phaseOf('steady')).to.equal('Lost');
        site.start('hv1');
        await site.clock.advance(60_000);
        expect(await site.phaseOf('steady')).to.equal('Running');
      });
    });
  }
});

async function placedOf(site: Site, name: string): Promise<string> {
  const condition = findCondition((await site.machine(name)).status?.conditions, 'Placed');
  return `${condition?.status} ${condition?.reason}`;
}
