import { expect } from 'chai';
import { findCondition } from '#crds/conditions.ts';
import { hypervisorResource } from '#crds/v1alpha1/kinds.ts';
import { KubeError } from '#runtime/kube/errors.ts';
import { OPERATOR } from './kinds.ts';
import { PATIENCE_MS, says, tell } from './story.ts';

const TWO = { hypervisors: { hv1: {}, hv2: {} } };
const ON_HV1 = { placement: { preferredHypervisors: ['hv1'] } };

describe('the story of an outage', function () {
  this.timeout(PATIENCE_MS);

  it('of a daemon: its VM is lost, and found again as it was', async () => {
    await tell('daemon-silent', TWO, async (site) => {
      await says(site, 'adele creates web, preferring hv1', async () => site.create('web', ON_HV1), 15);
      const uuid = await site.uuidOf('web');
      await says(site, 'the daemon of hv1 is killed', () => site.kill('hv1'), 120);
      expect(await site.phaseOf('web')).to.equal('Lost');
      expect(site.runningOn(uuid)).to.deep.equal(['hv1']);
      await says(site, 'the daemon of hv1 starts again', () => site.start('hv1'), 60);
      expect(await site.phaseOf('web')).to.equal('Running');
    });
  });

  it('of a daemon, while its guest ends', async () => {
    await tell('daemon-silent-guest-ends', TWO, async (site) => {
      await says(site, 'adele creates web, preferring hv1', async () => site.create('web', ON_HV1), 15);
      const uuid = await site.uuidOf('web');
      await says(site, 'the daemon of hv1 is killed', () => site.kill('hv1'), 120);
      await says(site, 'web powers itself off', () => site.host('hv1').powerOffFromInside(uuid), 60);
      await says(site, 'the daemon of hv1 starts again', () => site.start('hv1'), 60);
      expect(await site.phaseOf('web')).to.equal('Stopped');
    });
  });

  it('of a daemon, while its VM is deleted', async () => {
    await tell('daemon-silent-deleted', TWO, async (site) => {
      await says(site, 'adele creates web, preferring hv1', async () => site.create('web', ON_HV1), 15);
      await says(site, 'the daemon of hv1 is killed', () => site.kill('hv1'), 120);
      await says(site, 'adele deletes web', async () => site.delete('web'), 300);
      expect(await site.phaseOf('web')).to.equal('Terminating');
      await says(site, 'the daemon of hv1 starts again', () => site.start('hv1'), 60);
      expect(await site.machines()).to.deep.equal([]);
      expect(site.host('hv1').machine.list()).to.deep.equal([]);
    });
  });

  it('of a daemon, while its VM is deleted by force: its guest runs on, and is told of when the daemon is back', async () => {
    await tell('daemon-silent-deleted-by-force', TWO, async (site) => {
      await says(site, 'adele creates web, preferring hv1', async () => site.create('web', ON_HV1), 15);
      const uuid = await site.uuidOf('web');
      await says(site, 'the daemon of hv1 is killed', () => site.kill('hv1'), 120);
      await says(site, 'adele deletes web', async () => site.delete('web'), 60);
      expect(await site.phaseOf('web')).to.equal('Terminating');
      await says(site, 'adele accepts that its guest may run on', async () => site.forceDelete('web'), 60);
      expect(await site.machines()).to.deep.equal([]);
      await says(site, 'adele creates web anew', async () => site.create('web'), 15);
      await says(site, 'the daemon of hv1 starts again', () => site.start('hv1'), 60);
      expect(site.runningOn(uuid), 'never killed').to.deep.equal(['hv1']);
      const { status } = await site.user.get(hypervisorResource, { name: 'hv1' });
      expect(status?.unmanaged).to.deep.equal([{ name: 'team.web', uuid, powerState: 'Running', reason: 'Orphaned' }]);
      expect(status?.allocatable?.cpus, 'less what it holds').to.equal(3);
      expect((await site.machine('web')).status).to.deep.include({ phase: 'Running' });
      expect((await site.machine('web')).status?.placement?.hypervisor).to.equal('hv2');
    });
  });

  it('of an operator, while a daemon is silent: the lost stay lost', async () => {
    await tell('operator-restarts-while-daemon-silent', TWO, async (site) => {
      await says(site, 'adele creates web, preferring hv1', async () => site.create('web', ON_HV1), 15);
      await says(site, 'the daemon of hv1 is killed', () => site.kill('hv1'), 120);
      await says(site, 'the operator is killed', () => site.kill(OPERATOR), 5);
      await says(site, 'the operator starts again', () => site.start(OPERATOR), 120);
      expect(await site.phaseOf('web')).to.equal('Lost');
      await says(site, 'the daemon of hv1 starts again', () => site.start('hv1'), 60);
      expect(await site.phaseOf('web')).to.equal('Running');
    });
  });

  it('of a hypervisor under its daemon', async () => {
    await tell('hypervisor-disconnected', TWO, async (site) => {
      await says(site, 'adele creates web, preferring hv1', async () => site.create('web', ON_HV1), 15);
      const uuid = await site.uuidOf('web');
      await says(site, 'the hypervisor of hv1 answers no more', () => site.host('hv1').disconnect(), 120);
      expect(site.runningOn(uuid)).to.deep.equal(['hv1']);
      await says(site, 'adele creates other, preferring hv1', async () => site.create('other', ON_HV1), 15);
      await says(site, 'the hypervisor of hv1 answers again', () => site.host('hv1').reconnect(), 60);
      expect(await site.phaseOf('web')).to.equal('Running');
    });
  });

  it('of a hypervisor that is restarted: nobody is called lost', async () => {
    await tell('hypervisor-restarted', TWO, async (site) => {
      await says(site, 'adele creates web, preferring hv1', async () => site.create('web', ON_HV1), 15);
      site.forgetWrites();
      await says(site, 'the hypervisor of hv1 is restarted', () => site.host('hv1').disconnect(), 15);
      const { status } = await site.user.get(hypervisorResource, { name: 'hv1' });
      expect(findCondition(status?.conditions, 'Schedulable')).to.include({ status: 'False' });
      await says(site, 'adele creates other, preferring hv1', async () => site.create('other', ON_HV1), 15);
      await says(site, 'the hypervisor of hv1 answers again', () => site.host('hv1').reconnect(), 60);
      await says(site, 'it is restarted again', () => site.host('hv1').disconnect(), 35);
      await says(site, 'and answers again', () => site.host('hv1').reconnect(), 60);
      expect(site.machineWrites().filter((write) => write === 'operator status')).to.have.length(1);
    });
  });

  it('of a hypervisor that hangs', async () => {
    await tell('hypervisor-hangs', TWO, async (site) => {
      await says(site, 'adele creates web, preferring hv1', async () => site.create('web', ON_HV1), 15);
      await says(site, 'the hypervisor of hv1 hangs', () => site.host('hv1').hang(), 120);
      await says(site, 'adele deletes web', async () => site.delete('web'), 120);
      expect(await site.phaseOf('web')).to.equal('Terminating');
      await says(site, 'the hypervisor of hv1 answers again', () => site.host('hv1').reconnect(), 60);
      expect(await site.machines()).to.deep.equal([]);
    });
  });

  it('of the API server: nothing happens to any guest, and nobody is lost', async () => {
    await tell('api-server-down', TWO, async (site) => {
      await says(site, 'adele creates web', async () => site.create('web'), 15);
      await says(site, 'adele creates other', async () => site.create('other'), 15);
      const other = await site.uuidOf('other');
      const down = new KubeError('Unreachable', 'connection refused');
      const stop = () => {
        site.api.faults.add({ refuse: down, times: Number.POSITIVE_INFINITY });
        site.api.watches.cut({}, down);
      };
      await says(site, 'the API server is unreachable', stop, 300);
      await says(site, 'other crashes', () => site.crash(other), 300);
      await says(site, 'the API server answers again', () => site.api.faults.clear(), 90);
      expect(await site.phaseOf('web')).to.equal('Running');
      expect(await site.phaseOf('other')).to.equal('Running');
    });
  });

  it('of the whole site at once', async () => {
    await tell('all-restart', TWO, async (site) => {
      for (const name of ['a', 'b', 'c']) await says(site, `adele creates ${name}`, async () => site.create(name), 5);
      site.forgetWrites();
      const kill = () => [OPERATOR, 'hv1', 'hv2'].forEach((name) => site.kill(name));
      await says(site, 'operator and daemons are killed', kill, 100);
      const start = () => [OPERATOR, 'hv1', 'hv2'].forEach((name) => site.start(name));
      await says(site, 'operator and daemons start again', start, 120);
      expect(site.machineWrites()).to.deep.equal([]);
    });
  });

  it('that is none: somebody deletes a Hypervisor whose daemon is alive', async () => {
    await tell('hypervisor-deleted', TWO, async (site) => {
      await says(site, 'adele creates web, preferring hv1', async () => site.create('web', ON_HV1), 15);
      const uuid = await site.uuidOf('web');
      await says(
        site,
        'somebody deletes Hypervisor hv1',
        async () => site.user.delete(hypervisorResource, { name: 'hv1' }),
        60,
      );
      expect(await site.phaseOf('web')).to.equal('Running');
      await says(site, 'web crashes', () => site.crash(uuid), 120);
      expect(await site.phaseOf('web')).to.equal('Running');
    });
  });

  it('of the watch alone: what a VM was given to is not what it was given from', async () => {
    await tell('watch-stalls', TWO, async (site) => {
      await says(site, 'adele creates web, preferring hv1', async () => site.create('web', ON_HV1), 15);
      const stall = () => site.api.watches.stall({ user: 'hv1' });
      await says(site, 'the daemon of hv1 sees no more changes', stall, 1);
      await says(site, 'adele stops web', async () => site.edit('web', { powerState: 'Stopped' }), 120);
      await says(site, 'and hears of them again', () => site.api.watches.resume(), 60);
      expect(await site.phaseOf('web')).to.equal('Stopped');
    });
  });
});
