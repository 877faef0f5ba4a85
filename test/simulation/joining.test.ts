// Machines that join, are accepted or not, leave, and come back as themselves or as others of the same name.
import { expect } from 'chai';
import { findCondition } from '#crds/conditions.ts';
import { hypervisorResource } from '#crds/v1alpha1/kinds.ts';
import { HOLD } from '#test/builders/virtual-machine.ts';
import type { Site } from './site.ts';
import { PATIENCE_MS, play, says, tell } from './story.ts';

const TWO = { hypervisors: { hv1: {}, hv2: {} } };
/** The second machine calls itself like the first; its daemon is not started. */
const SUCCESSOR = { hypervisors: { hv1: {}, new1: {} }, impostors: { new1: 'hv1' } };
const MINUTE = 60_000;
const ON_HV1 = { placement: { preferredHypervisors: ['hv1'] } };

const accepted = async (site: Site, name: string) => {
  const { status } = await site.user.get(hypervisorResource, { name });
  const said = findCondition(status?.conditions, 'Accepted');
  return `${said?.status} ${said?.reason}`;
};
const remove = async (site: Site, name: string) => site.user.delete(hypervisorResource, { name });
const uidOf = async (site: Site, name: string) => (await site.user.get(hypervisorResource, { name })).metadata.uid;

describe('the story of hypervisors that join', function () {
  this.timeout(PATIENCE_MS);

  it('and wait to be accepted by hand, and of one that is rejected while it is used', async () => {
    await tell('accepted-by-hand', { ...TWO, acceptance: 'Manual' }, async (site) => {
      expect([await accepted(site, 'hv1'), await accepted(site, 'hv2')]).to.deep.equal([
        'False AwaitingAcceptance',
        'False AwaitingAcceptance',
      ]);
      await says(site, 'adele creates web', async () => site.create('web'), 60);
      expect(await site.phaseOf('web')).to.equal('Scheduling');
      await says(site, 'an administrator accepts hv1', async () => site.accept('hv1', true), 10);
      expect(await site.phaseOf('web')).to.equal('Running');
      const uuid = await site.uuidOf('web');
      await says(
        site,
        'an administrator rejects hv1, and accepts hv2',
        async () => {
          await site.accept('hv1', false);
          await site.accept('hv2', true);
        },
        10,
      );
      await says(site, 'adele creates db, preferring hv1', async () => site.create('db', ON_HV1), 10);
      expect(site.runningOn(await site.uuidOf('db'))).to.deep.equal(['hv2']);
      await says(site, 'web crashes', () => site.crash(uuid), 30);
      expect(site.runningOn(uuid), 'what runs there stays there').to.deep.equal(['hv1']);
    });
  });

  it('and are accepted by their names, or wait', async () => {
    await play({ ...TWO, acceptance: 'hv{2-9}' }, async (site) => {
      expect(await accepted(site, 'hv1')).to.equal('False AwaitingAcceptance');
      expect(await accepted(site, 'hv2')).to.equal('True AllowedByName');
      await site.create('web', ON_HV1);
      await site.clock.advance(10_000);
      expect(site.runningOn(await site.uuidOf('web'))).to.deep.equal(['hv2']);
    });
  });

  it('and had joined before the site became careful: they stay accepted, over restarts of the operator too', async () => {
    await play({ ...TWO, acceptance: 'Manual' }, async (site) => {
      await site.accept('hv1', true);
      await site.clock.advance(10_000);
      await site.accept('hv1', null);
      site.kill('operator');
      await site.clock.advance(20_000);
      site.start('operator');
      await site.clock.advance(30_000);
      expect(await accepted(site, 'hv1')).to.equal('True AcceptedByHand');
      await site.create('web');
      await site.clock.advance(10_000);
      expect(await site.phaseOf('web')).to.equal('Running');
    });
  });
});

describe('the story of a Hypervisor that is deleted', function () {
  this.timeout(PATIENCE_MS);

  it('while its daemon lives: it joins anew, and waits; its guests run on, and start nowhere before it is accepted', async () => {
    await tell('deleted-and-awaiting', { hypervisors: { hv1: {} }, acceptance: 'Manual' }, async (site) => {
      await says(site, 'an administrator accepts hv1', async () => site.accept('hv1', true), 10);
      await says(site, 'adele creates web', async () => site.create('web'), 15);
      const [uuid, uid] = [await site.uuidOf('web'), await uidOf(site, 'hv1')];
      await says(site, 'somebody deletes Hypervisor hv1', async () => remove(site, 'hv1'), 60);
      expect(await uidOf(site, 'hv1')).not.to.equal(uid);
      expect([await accepted(site, 'hv1'), await site.phaseOf('web')]).to.deep.equal([
        'False AwaitingAcceptance',
        'Running',
      ]);
      await says(site, 'web crashes', () => site.crash(uuid), 60);
      expect(await site.phaseOf('web')).to.equal('Scheduling');
      await says(site, 'an administrator accepts hv1 again', async () => site.accept('hv1', true), 60);
      expect(site.runningOn(uuid)).to.deep.equal(['hv1']);
      expect((await site.machine('web')).status?.placement).to.include({ hypervisorUID: await uidOf(site, 'hv1') });
    });
  });

  it('while its daemon is away: its VM is lost, is told what for, and is found when the daemon is back', async () => {
    await tell('deleted-while-away', TWO, async (site) => {
      await says(site, 'adele creates web, preferring hv1', async () => site.create('web', ON_HV1), 15);
      const uuid = await site.uuidOf('web');
      await says(site, 'the daemon of hv1 is killed', () => site.kill('hv1'), 5);
      await says(site, 'somebody deletes Hypervisor hv1', async () => remove(site, 'hv1'), 120);
      const { status } = await site.machine('web');
      expect(findCondition(status?.conditions, 'HypervisorReachable')?.reason).to.equal('HypervisorGone');
      await says(site, 'the daemon of hv1 starts again', () => site.start('hv1'), 60);
      expect(await site.phaseOf('web')).to.equal('Running');
      expect(site.runningOn(uuid)).to.deep.equal(['hv1']);
      await says(site, 'adele deletes web', async () => site.delete('web'), 30);
      expect(site.host('hv1').machine.list()).to.deep.equal([]);
    });
  });

  it('with its machine, and added again under its name: what ran on the former one is missing, and waits for a person', async () => {
    await tell('node-replaced', SUCCESSOR, async (site) => {
      await says(site, 'adele creates hold', async () => site.create('hold'), 5);
      const recovery = { ...HOLD, onMissing: 'Recreate' } as const;
      await says(site, 'adele creates recreate', async () => site.create('recreate', { recovery }), 5);
      const uid = await uidOf(site, 'hv1');
      const takeAway = async () => {
        site.kill('hv1');
        site.host('hv1').reboot();
        await remove(site, 'hv1');
      };
      await says(site, 'hv1 is taken away, and its Hypervisor deleted', takeAway, 120);
      expect([await site.phaseOf('hold'), await site.phaseOf('recreate')]).to.deep.equal(['Lost', 'Lost']);
      await says(site, 'another machine is set up as hv1', () => site.start('new1'), 120);
      expect(await uidOf(site, 'hv1')).not.to.equal(uid);
      expect(await site.phaseOf('hold')).to.equal('Missing');
      expect(await site.phaseOf('recreate')).to.equal('Running');
      const { placement } = (await site.machine('recreate')).status ?? {};
      expect(placement).to.include({ epoch: 2, hypervisorUID: await uidOf(site, 'hv1') });
      expect(site.runningOn(await site.uuidOf('recreate'))).to.deep.equal(['new1']);
    });
  });

  it('after its machine was rebooted meanwhile: its guests have ended with it, and are started again under a new permission', async () => {
    await play({ hypervisors: { hv1: {} } }, async (site) => {
      await site.create('web');
      await site.clock.advance(MINUTE);
      site.kill('hv1');
      await remove(site, 'hv1');
      site.host('hv1').reboot();
      await site.clock.advance(MINUTE);
      site.start('hv1');
      await site.clock.advance(3 * MINUTE);
      const { status } = await site.machine('web');
      expect([status?.phase, status?.placement?.epoch]).to.deep.equal(['Running', 2]);
      expect(status?.lastTermination?.reason).to.equal('HostRebooted');
      expect(status?.instance?.bootID).to.equal(site.host('hv1').bootID);
    });
  });
});
