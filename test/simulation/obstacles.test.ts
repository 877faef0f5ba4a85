// What stands in the way is told, for as long as it does: nobody waits for ever without hearing why.
import { expect } from 'chai';
import { findCondition } from '#crds/conditions.ts';
import type { Site } from './site.ts';
import { PATIENCE_MS, play } from './story.ts';

const MINUTE = 60_000;
const ONE = { hypervisors: { hv1: {} } };
const GRACEFUL = { powerOff: { mode: 'Graceful', gracePeriodSeconds: 30 } } as const;
const STOP = { powerState: 'Stopped' } as const;

async function running(site: Site, spec: Parameters<Site['create']>[1] = {}): Promise<string> {
  await site.create('web', spec);
  await site.clock.advance(10_000);
  expect(await site.phaseOf('web')).to.equal('Running');
  return site.uuidOf('web');
}

/** For example "Running True Running: Running on hv1." */
async function told(site: Site): Promise<string> {
  const { status } = await site.machine('web');
  const ready = findCondition(status?.conditions, 'Ready');
  return `${status?.phase} ${ready?.status} ${ready?.reason}: ${ready?.message}`;
}

describe('a VM that is deleted', function () {
  this.timeout(PATIENCE_MS);

  for (const [what, spec] of [
    ['runs', {}],
    ['is off', STOP],
  ] as const) {
    it(`while it ${what}, and cannot be removed, says why, until it can`, async () => {
      await play(ONE, async (site) => {
        await running(site);
        await site.edit('web', spec);
        await site.clock.advance(10_000);
        site.host('hv1').faults.order({ verb: 'undefine', outcome: 'Failed', message: 'no space', times: 1e9 });
        await site.delete('web');
        await site.clock.advance(10 * MINUTE);
        expect(await told(site)).to.match(/^Terminating False RemoveFailed: hv1 could not remove .*: no space\./);
        site.host('hv1').faults.clear();
        await site.clock.advance(5 * MINUTE);
        expect(await site.machines()).to.deep.equal([]);
      });
    });
  }

  it('while it is told to be stopping is told to be deleted', async () => {
    await play(ONE, async (site) => {
      const uuid = await running(site, GRACEFUL);
      site.host('hv1').behave(uuid, { ignoresShutdown: true });
      await site.edit('web', STOP);
      await site.clock.advance(30_000);
      await site.delete('web');
      await site.clock.advance(10 * MINUTE);
      expect(await site.phaseOf('web')).to.equal('Terminating');
      site.host('hv1').behave(uuid, { ignoresShutdown: false });
    });
  });
});

describe('a guest whose state the hypervisor does not know', function () {
  this.timeout(PATIENCE_MS);

  it('is told to be so while it is only asked to stop', async () => {
    await play(ONE, async (site) => {
      const uuid = await running(site, GRACEFUL);
      site.host('hv1').hangGuest(uuid);
      await site.clock.advance(100_000);
      await site.edit('web', STOP);
      await site.clock.advance(10 * MINUTE);
      expect(await told(site)).to.match(/^Stopping False StateUnknown: .* start libvirtd again\.$/);
      site.host('hv1').machine.get(uuid).hung = false;
      await site.clock.advance(10_000);
      expect(await told(site)).to.match(/^Stopped True Stopped/);
    });
  });

  it('is not told to have been so for a minute before it has', async () => {
    await play(ONE, async (site) => {
      const uuid = await running(site, { powerOff: { mode: 'Force', gracePeriodSeconds: 0 } });
      site.host('hv1').faults.order({ verb: 'destroy', outcome: 'Timeout', times: 3 });
      site.host('hv1').hangGuest(uuid);
      await site.edit('web', STOP);
      await site.clock.advance(2_000);
      expect(await told(site))
        .to.match(/^Stopping False StopFailed/)
        .and.not.contain('for a minute or more');
    });
  });
});

describe('a guest that runs', function () {
  this.timeout(PATIENCE_MS);

  it('and is not ours is no readiness, though it bears the uuid of the VM', async () => {
    await play(ONE, async (site) => {
      await site.create('web', STOP);
      await site.clock.advance(10_000);
      site.host('hv1').createForeign({ uuid: await site.uuidOf('web'), name: 'mine' });
      await site.edit('web', { powerState: 'Running' });
      await site.clock.advance(MINUTE);
      expect(await told(site)).to.match(/^Running False NotOurs: The guest mine on hv1 has the uuid of this VM/);
    });
  });

  it('and to which its new permission cannot be written says so, until it can', async () => {
    await play(ONE, async (site) => {
      const uuid = await running(site);
      await site.edit('web', STOP);
      await site.clock.advance(10_000);
      site.host('hv1').faults.order({ verb: 'setMetadata', outcome: 'Failed', message: 'no space', times: 1e9 });
      await site.edit('web', { powerState: 'Running' });
      await site.clock.advance(10 * MINUTE);
      expect(site.runningOn(uuid)).to.deep.equal(['hv1']);
      expect(await told(site)).to.match(/^Starting False ConfirmFailed: hv1 could not write .*: no space\./);
      site.host('hv1').faults.clear();
      await site.clock.advance(5 * MINUTE);
      expect(await told(site)).to.match(/^Running True Running/);
    });
  });
});
