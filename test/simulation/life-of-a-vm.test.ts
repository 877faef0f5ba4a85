import { expect } from 'chai';
import { hypervisorResource } from '#crds/v1alpha1/kinds.ts';
import { timestampOf } from '#runtime/clock/clock.ts';
import { HOLD } from '#test/builders/virtual-machine.ts';
import { PATIENCE_MS, says, tell } from './story.ts';

const ONE = { hypervisors: { hv1: {} } };
const SLOW = { hypervisors: { hv1: { startMilliseconds: 5_000, shutdownMilliseconds: 4_000 } } };

describe('the story of a VM', function () {
  this.timeout(PATIENCE_MS);

  it('that is created and runs, with two writes in all', async () => {
    await tell('create', ONE, async (site) => {
      await says(site, 'adele creates web', async () => site.create('web'), 5);
      expect(site.machineWrites()).to.deep.equal(['operator status', 'hv1 status']);
      expect(site.runningOn(await site.uuidOf('web'))).to.deep.equal(['hv1']);
    });
  });

  it('that is slow to start and to stop', async () => {
    await tell('slow', SLOW, async (site) => {
      await says(site, 'adele creates web', async () => site.create('web'), 20);
      expect(site.machineWrites()).to.deep.equal(['operator status', 'hv1 status', 'hv1 status']);
      await says(site, 'adele deletes web', async () => site.delete('web'), 20);
      expect(await site.machines()).to.deep.equal([]);
    });
  });

  it('that is stopped and started again, under a new permission', async () => {
    await tell('stop-and-start', ONE, async (site) => {
      await says(site, 'adele creates web', async () => site.create('web'), 5);
      site.forgetWrites();
      await says(site, 'adele sets powerState to Stopped', async () => site.edit('web', { powerState: 'Stopped' }), 5);
      expect(site.machineWrites()).to.deep.equal(['operator status', 'hv1 status']);
      site.forgetWrites();
      await says(site, 'adele sets powerState to Running', async () => site.edit('web', { powerState: 'Running' }), 5);
      expect(site.machineWrites()).to.deep.equal(['operator status', 'hv1 status']);
      expect((await site.machine('web')).status?.placement?.epoch).to.equal(2);
    });
  });

  it('that is declared running again before it has obeyed the request to stop', async () => {
    await tell('thought-better', SLOW, async (site) => {
      await says(site, 'adele creates web', async () => site.create('web'), 20);
      await says(site, 'adele sets powerState to Stopped', async () => site.edit('web', { powerState: 'Stopped' }), 1);
      await says(site, 'adele sets powerState to Running', async () => site.edit('web', { powerState: 'Running' }), 20);
      expect(await site.phaseOf('web')).to.equal('Running');
    });
  });

  it('whose edit needs a restart, and whose next edit does not', async () => {
    await tell('edit', ONE, async (site) => {
      await says(site, 'adele creates web', async () => site.create('web'), 5);
      const resources = { cpus: 2, memory: '2Gi' };
      await says(site, 'adele sets 2 CPUs and 2Gi', async () => site.edit('web', { resources }), 5);
      await says(site, 'adele sets restartPolicy', async () => site.edit('web', { restartPolicy: 'Always' }), 5);
      await says(site, 'adele sets powerState to Stopped', async () => site.edit('web', { powerState: 'Stopped' }), 5);
      await says(site, 'adele sets powerState to Running', async () => site.edit('web', { powerState: 'Running' }), 5);
      const { status } = await site.machine('web');
      expect(status?.instance?.resources).to.deep.equal(resources);
    });
  });

  it('whose time is over, is stopped, and runs again when it is given more', async () => {
    await tell('expires', ONE, async (site) => {
      await says(site, 'adele creates web', async () => site.create('web'), 5);
      const expirationTime = timestampOf(site.clock.now() + 2 * 3_600_000);
      site.forgetWrites();
      await says(site, 'adele lets web run for two hours', async () => site.edit('web', { expirationTime }), 3_500);
      expect(site.machineWrites()).to.deep.equal(['operator status', 'hv1 status']);
      site.narration.act('time goes by');
      await site.clock.advance(4_000_000);
      expect(await site.phaseOf('web')).to.equal('Stopped');
      const later = timestampOf(site.clock.now() + 30 * 60_000);
      await says(site, 'adele gives it half an hour more', async () => site.edit('web', { expirationTime: later }), 60);
      expect(await site.phaseOf('web')).to.equal('Running');
      await says(site, 'adele lets it run for ever', async () => site.edit('web', { expirationTime: null }), 3_600);
      expect(await site.phaseOf('web')).to.equal('Running');
    });
  });

  it('that is deleted, obeys, and is gone with three writes', async () => {
    await tell('delete', ONE, async (site) => {
      await says(site, 'adele creates web', async () => site.create('web'), 5);
      site.forgetWrites();
      await says(site, 'adele deletes web', async () => site.delete('web'), 5);
      expect(site.machineWrites()).to.deep.equal(['hv1 status', 'operator object']);
      expect(site.host('hv1').machine.list()).to.deep.equal([]);
      expect(await site.machines()).to.deep.equal([]);
    });
  });

  it('that is deleted while its guest is to run on: it is foreign from then on', async () => {
    await tell('release', ONE, async (site) => {
      await says(site, 'adele creates web', async () => site.create('web', { deletionPolicy: 'Release' }), 5);
      const uuid = await site.uuidOf('web');
      const released = () =>
        site.host('hv1').faults.order({ verb: 'release', outcome: 'Failed', message: 'it is locked' });
      await says(
        site,
        'adele deletes web, and hv1 cannot let go of it at first',
        async () => {
          released();
          await site.delete('web');
        },
        60,
      );
      expect(await site.machines()).to.deep.equal([]);
      expect(site.runningOn(uuid)).to.deep.equal(['hv1']);
      const { status } = await site.user.get(hypervisorResource, { name: 'hv1' });
      expect(status?.unmanaged).to.deep.equal([{ name: 'team.web', uuid, powerState: 'Running', reason: 'Foreign' }]);
    });
  });

  it('that is deleted, does not obey, and is switched off', async () => {
    await tell('delete-by-force', ONE, async (site) => {
      const powerOff = { mode: 'GracefulThenForce', gracePeriodSeconds: 30 } as const;
      await says(site, 'adele creates web', async () => site.create('web', { powerOff }), 5);
      site.host('hv1').behave(await site.uuidOf('web'), { ignoresShutdown: true });
      await says(site, 'adele deletes web, whose guest does not listen', async () => site.delete('web'), 60);
      expect(site.host('hv1').machine.list()).to.deep.equal([]);
      expect(await site.machines()).to.deep.equal([]);
    });
  });
});

describe('the story of guests that end by themselves', function () {
  this.timeout(PATIENCE_MS);

  it('by powering off, under each restartPolicy', async () => {
    await tell('power-off', ONE, async (site) => {
      for (const restartPolicy of ['Always', 'OnFailure', 'Never'] as const) {
        const name = restartPolicy.toLowerCase();
        await says(site, `adele creates ${name}`, async () => site.create(name, { restartPolicy }), 5);
      }
      for (const name of ['always', 'onfailure', 'never']) {
        const uuid = await site.uuidOf(name);
        await says(site, `${name} powers itself off`, () => site.host('hv1').powerOffFromInside(uuid), 10);
      }
      const stop = async () => site.edit('onfailure', { powerState: 'Stopped' });
      await says(site, 'adele sets powerState of onfailure to Stopped', stop, 5);
      const start = async () => site.edit('onfailure', { powerState: 'Running' });
      await says(site, 'and back to Running', start, 5);
    });
  });

  it('by crashing, under each restartPolicy', async () => {
    await tell('crash', ONE, async (site) => {
      for (const restartPolicy of ['Always', 'OnFailure', 'Never'] as const) {
        const name = restartPolicy.toLowerCase();
        await says(site, `adele creates ${name}`, async () => site.create(name, { restartPolicy }), 5);
      }
      for (const name of ['always', 'onfailure', 'never']) {
        const uuid = await site.uuidOf(name);
        await says(site, `${name} crashes`, () => site.host('hv1').crash(uuid), 10);
      }
      const policy = async () => site.edit('never', { restartPolicy: 'OnFailure' });
      await says(site, 'adele sets restartPolicy of never to OnFailure', policy, 5);
    });
  });

  it('by crashing again and again, with one write a crash once it is a habit', async () => {
    await tell('crash-loop', ONE, async (site) => {
      await says(site, 'adele creates web', async () => site.create('web'), 60);
      const uuid = await site.uuidOf('web');
      const host = site.host('hv1');
      let crashes = 0;
      site.forgetWrites();
      site.narration.act('web crashes a second after every start, twelve times');
      while (crashes < 12) {
        if (host.machine.get(uuid).power.kind === 'Running') {
          await site.clock.advance(1_000);
          host.crash(uuid);
          crashes += 1;
        }
        await site.clock.advance(500);
      }
      expect(site.machineWrites().length, 'the first restart is told, too').to.equal(crashes + 1);
      await site.clock.advance(400_000);
      expect(await site.phaseOf('web')).to.equal('Running');
      const { transitions } = (await site.machine('web')).status ?? {};
      expect(transitions?.at(-1)?.cause).to.equal('Started again on hv1 after a pause of 300 s: restart 12 in a row.');
    });
  });

  it('with the machine they ran on', async () => {
    await tell('host-reboot', { hypervisors: { hv1: {} } }, async (site) => {
      await says(site, 'adele creates web', async () => site.create('web'), 5);
      await says(site, 'adele creates never', async () => site.create('never', { restartPolicy: 'Never' }), 5);
      const reboot = () => {
        site.kill('hv1');
        site.host('hv1').reboot();
        site.start('hv1');
      };
      await says(site, 'hv1 reboots', reboot, 60);
      expect(await site.phaseOf('web')).to.equal('Running');
    });
  });
});

describe('the story of guests that are gone though nobody asked for it', function () {
  this.timeout(PATIENCE_MS);

  it('by virsh destroy', async () => {
    await tell('destroyed', ONE, async (site) => {
      await says(site, 'adele creates hold', async () => site.create('hold'), 5);
      const recovery = { ...HOLD, onMissing: 'Recreate' } as const;
      await says(site, 'adele creates recreate', async () => site.create('recreate', { recovery }), 5);
      for (const name of ['hold', 'recreate']) {
        const uuid = await site.uuidOf(name);
        await says(site, `somebody destroys ${name} on hv1`, () => site.host('hv1').destroyBehindOurBack(uuid), 10);
      }
      await says(site, 'adele sets onMissing of hold to Recreate', async () => site.edit('hold', { recovery }), 10);
      expect(await site.phaseOf('hold')).to.equal('Running');
    });
  });

  it('by virsh destroy and undefine, while the daemon does not look', async () => {
    await tell('vanished', ONE, async (site) => {
      await says(site, 'adele creates web', async () => site.create('web'), 5);
      const uuid = await site.uuidOf('web');
      site.narration.act('the daemon of hv1 is killed; somebody destroys and undefines web');
      site.kill('hv1');
      site.host('hv1').destroyBehindOurBack(uuid);
      site.host('hv1').undefineBehindOurBack(uuid);
      await site.clock.advance(5_000);
      await says(site, 'the daemon of hv1 starts again', () => site.start('hv1'), 10);
      await says(site, 'adele sets powerState to Stopped', async () => site.edit('web', { powerState: 'Stopped' }), 5);
      await says(site, 'adele sets powerState to Running', async () => site.edit('web', { powerState: 'Running' }), 5);
      expect(site.runningOn(uuid)).to.deep.equal(['hv1']);
    });
  });
});
