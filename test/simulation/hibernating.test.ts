// Guests whose memory is kept: what it costs, what becomes of it when its machine cannot be asked, and what is never done.
import { expect } from 'chai';
import { findCondition } from '#crds/conditions.ts';
import { hypervisorResource } from '#crds/v1alpha1/kinds.ts';
import type { Site } from './site.ts';
import { PATIENCE_MS, play, says, tell } from './story.ts';

const MINUTE = 60_000;
const ONE = { hypervisors: { hv1: {} } };
const TWO = { hypervisors: { hv1: {}, hv2: {} } };
const ON_HV1 = { placement: { preferredHypervisors: ['hv1'] } };
const RUN = { powerState: 'Running' } as const;
const STOP = { powerState: 'Stopped' } as const;
const HIBERNATE = { powerState: 'Hibernated' } as const;
const LARGE = { resources: { cpus: 3, memory: '4Gi' } };

async function hibernated(site: Site, spec: Parameters<Site['create']>[1] = {}): Promise<string> {
  await site.create('web', { ...ON_HV1, ...spec });
  await site.clock.advance(10_000);
  await site.edit('web', HIBERNATE);
  await site.clock.advance(10_000);
  expect(await ready(site)).to.equal('Hibernated True Hibernated');
  return site.uuidOf('web');
}

async function ready(site: Site, name = 'web'): Promise<string> {
  const { status } = await site.machine(name);
  const told = findCondition(status?.conditions, 'Ready');
  return `${status?.phase} ${told?.status} ${told?.reason}`;
}

function happened(site: Site, uuid: string): string[] {
  return site.witness.happenings.filter((one) => one.uuid === uuid).map(({ host, what }) => `${host} ${what}`);
}

describe('the story of a guest that is hibernated', function () {
  this.timeout(PATIENCE_MS);

  it('and goes on from its memory, with two writes each time', async () => {
    await tell('hibernate', ONE, async (site) => {
      await says(site, 'adele creates web', async () => site.create('web'), 5);
      site.forgetWrites();
      await says(site, 'adele sets powerState to Hibernated', async () => site.edit('web', HIBERNATE), 5);
      expect(site.machineWrites()).to.deep.equal(['operator status', 'hv1 status']);
      await says(site, 'adele sets 2 CPUs', async () => site.edit('web', { resources: { cpus: 2, memory: '1Gi' } }), 5);
      site.forgetWrites();
      await says(site, 'adele sets powerState to Running', async () => site.edit('web', RUN), 5);
      expect(site.machineWrites()).to.deep.equal(['operator status', 'hv1 status']);
      await says(site, 'adele sets powerState to Hibernated', async () => site.edit('web', HIBERNATE), 5);
      await says(site, 'adele sets powerState to Stopped', async () => site.edit('web', STOP), 5);
      await says(site, 'adele sets powerState to Hibernated', async () => site.edit('web', HIBERNATE), 5);
      await says(site, 'adele sets powerState to Running', async () => site.edit('web', RUN), 5);
      expect((await site.machine('web')).status?.placement?.epoch).to.equal(2);
    });
  });

  it('and is let go with its VM: its memory is kept, and told of', async () => {
    await tell('hibernate-release', ONE, async (site) => {
      const uuid = await hibernated(site, { deletionPolicy: 'Release' });
      await says(site, 'adele deletes web', async () => site.delete('web'), 60);
      expect(await site.machines()).to.deep.equal([]);
      expect(site.host('hv1').machine.guests.find(uuid)?.image).not.to.equal(undefined);
      const { status } = await site.user.get(hypervisorResource, { name: 'hv1' });
      expect(status?.unmanaged).to.deep.equal([{ name: 'team.web', uuid, powerState: 'ShutOff', reason: 'Orphaned' }]);
    });
  });

  it('and waits for room where its memory is', async () => {
    await tell('hibernate-no-room', ONE, async (site) => {
      await says(site, 'adele creates web', async () => site.create('web', LARGE), 5);
      await says(site, 'adele sets powerState of web to Hibernated', async () => site.edit('web', HIBERNATE), 5);
      await says(site, 'adele creates other, which needs the room', async () => site.create('other', LARGE), 5);
      expect(await site.phaseOf('other')).to.equal('Running');
      await says(site, 'adele sets powerState of web to Running', async () => site.edit('web', RUN), 5);
      expect(await ready(site)).to.equal('Hibernated False NoRoomToRestore');
      await says(site, 'adele deletes other', async () => site.delete('other'), 10);
      expect(await ready(site)).to.equal('Running True Running');
    });
  });

  it('and whose machine falls silent: it is not lost, and boots elsewhere only by choice', async () => {
    await tell('hibernate-silent', TWO, async (site) => {
      await says(site, 'adele creates web', async () => site.create('web', ON_HV1), 5);
      await says(site, 'adele sets powerState to Hibernated', async () => site.edit('web', HIBERNATE), 5);
      await says(site, 'the daemon of hv1 dies', () => site.kill('hv1'), 60);
      expect(await ready(site)).to.equal('Hibernated False HypervisorUnreachable');
      await says(site, 'adele sets powerState to Running', async () => site.edit('web', RUN), 60);
      expect(await ready(site)).to.equal('Hibernated False HypervisorUnreachable');
      await says(site, 'adele sets powerState to Stopped', async () => site.edit('web', STOP), 5);
      expect(await ready(site)).to.equal('Stopped True Stopped');
      await says(site, 'adele sets powerState to Running', async () => site.edit('web', RUN), 5);
      const uuid = await site.uuidOf('web');
      expect(site.runningOn(uuid)).to.deep.equal(['hv2']);
      await says(site, 'the daemon of hv1 starts again', () => site.start('hv1'), 60);
      expect(site.host('hv1').machine.list()).to.deep.equal([]);
      expect(happened(site, uuid)).to.deep.equal(['hv1 started', 'hv1 hibernated', 'hv2 started', 'hv1 undefined']);
    });
  });
});

describe('a hibernated guest', function () {
  this.timeout(PATIENCE_MS);

  it('that may have been restored when its machine fell silent is Lost, and given up by nobody', async () => {
    await play(TWO, async (site) => {
      const uuid = await hibernated(site);
      site.host('hv1').faults.order({ verb: 'start', outcome: 'Failed', times: 100 });
      await site.edit('web', RUN);
      await site.clock.advance(2_000);
      site.kill('hv1');
      await site.edit('web', HIBERNATE);
      await site.clock.advance(2 * MINUTE);
      expect(await ready(site)).to.equal('Lost False Lost');
      await site.edit('web', STOP);
      await site.clock.advance(2 * MINUTE);
      expect(await ready(site)).to.equal('Lost False Lost');
      expect((await site.machine('web')).status?.placement).to.include({ hypervisor: 'hv1', epoch: 1 });
      site.host('hv1').faults.clear();
      site.start('hv1');
      await site.clock.advance(MINUTE);
      expect([await ready(site), site.runningOn(uuid)]).to.deep.equal(['Stopped True Stopped', []]);
    });
  });

  it('survives the boot of its machine: that is no end, and its memory is used', async () => {
    await play(ONE, async (site) => {
      const uuid = await hibernated(site);
      site.kill('hv1');
      site.host('hv1').reboot();
      site.start('hv1');
      await site.clock.advance(2 * MINUTE);
      expect(await ready(site)).to.equal('Hibernated True Hibernated');
      await site.edit('web', RUN);
      await site.clock.advance(MINUTE);
      expect(happened(site, uuid).at(-1)).to.equal('hv1 restored');
    });
  });

  for (const [onMissing, then, runs] of [
    ['Hold', 'Missing False Missing', []],
    ['Recreate', 'Running True Running', ['hv1']],
  ] as const) {
    it(`whose memory somebody removes is told to be missed, and ${onMissing} decides what follows`, async () => {
      await play(ONE, async (site) => {
        const recovery = { onLost: 'Hold', lostTimeoutSeconds: 300, onMissing } as const;
        const uuid = await hibernated(site, { recovery });
        site.host('hv1').discardImageBehindOurBack(uuid);
        await site.edit('web', RUN);
        await site.clock.advance(2 * MINUTE);
        const { lastTermination } = (await site.machine('web')).status ?? {};
        expect([lastTermination?.reason, await ready(site), site.runningOn(uuid)]).to.deep.equal([
          'SavedImageGone',
          then,
          [...runs],
        ]);
      });
    });
  }

  it('that somebody saved on its machine is left so, and told', async () => {
    await play(ONE, async (site) => {
      await site.create('web');
      await site.clock.advance(10_000);
      await site.host('hv1').hibernateBehindOurBack(await site.uuidOf('web'));
      await site.clock.advance(10_000);
      expect(await ready(site)).to.equal('Missing False Missing');
      await site.edit('web', HIBERNATE);
      await site.clock.advance(10_000);
      expect(await ready(site)).to.equal('Hibernated True Hibernated');
      await site.edit('web', RUN);
      await site.clock.advance(10_000);
      expect(site.witness.happenings.map(({ what }) => what)).to.deep.equal(['started', 'hibernated', 'restored']);
    });
  });

  it('that cannot be restored stays as it is, says why, and can be booted anew', async () => {
    await play(ONE, async (site) => {
      const uuid = await hibernated(site);
      site.host('hv1').faults.order({ verb: 'start', outcome: 'Failed', message: 'the image is damaged', times: 3 });
      await site.edit('web', RUN);
      await site.clock.advance(2_000);
      expect(await ready(site)).to.equal('Hibernated False RestoreFailed');
      site.kill('hv1');
      site.start('hv1');
      await site.clock.advance(2 * MINUTE);
      expect([await ready(site), happened(site, uuid).at(-1)]).to.deep.equal(['Running True Running', 'hv1 restored']);
    });
  });

  it('that cannot be hibernated goes on, is never ended by force, and can be stopped', async () => {
    await play(ONE, async (site) => {
      await site.create('web');
      await site.clock.advance(10_000);
      const uuid = await site.uuidOf('web');
      site.host('hv1').behave(uuid, { failsToSave: 'no space left on device' });
      await site.edit('web', HIBERNATE);
      await site.clock.advance(10 * MINUTE);
      expect([await ready(site), site.runningOn(uuid)]).to.deep.equal(['Running False HibernateFailed', ['hv1']]);
      await site.edit('web', STOP);
      await site.clock.advance(MINUTE);
      expect(happened(site, uuid)).to.deep.equal(['hv1 started', 'hv1 shut down']);
    });
  });

  it('costs its machine nothing: another guest has its room, and usage and addresses are gone', async () => {
    await play(ONE, async (site) => {
      await hibernated(site, LARGE);
      await site.create('other', LARGE);
      await site.clock.advance(10_000);
      expect(await site.phaseOf('other')).to.equal('Running');
      const { status } = await site.machine('web');
      expect([status?.usage, status?.addresses]).to.deep.equal([undefined, undefined]);
    });
  });

  it('is forgotten with its VM, also where its machine cannot be asked', async () => {
    await play(ONE, async (site) => {
      await hibernated(site);
      site.kill('hv1');
      await site.clock.advance(2 * MINUTE);
      await site.delete('web');
      await site.clock.advance(MINUTE);
      expect(await site.machines()).to.deep.equal([]);
      site.start('hv1');
      await site.clock.advance(2 * MINUTE);
      expect(site.host('hv1').machine.list()).to.have.length(1);
    });
  });
});
