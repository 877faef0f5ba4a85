import { expect } from 'chai';
import { uuidFor } from '#test/builders/uuid.ts';
import { PATIENCE_MS, says, tell } from './story.ts';

const BIG = { resources: { cpus: 3, memory: '1Gi' } };
const FOREIGN = { uuid: uuidFor('somebody else'), name: 'somebody-else', cpus: 4, memoryBytes: 2 ** 30 };

describe('the story of VMs that look for a place', function () {
  this.timeout(PATIENCE_MS);

  it('and find it on the least loaded hypervisor', async () => {
    await tell('spread', { hypervisors: { hv1: {}, hv2: {} } }, async (site) => {
      for (const name of ['a', 'b', 'c', 'd'])
        await says(site, `adele creates ${name}`, async () => site.create(name), 2);
      const placed = (await site.machines()).map(({ status }) => status?.placement?.hypervisor);
      expect(placed).to.deep.equal(['hv1', 'hv2', 'hv1', 'hv2']);
    });
  });

  it('and find it once there is room', async () => {
    await tell('room-appears', { hypervisors: { hv1: {} } }, async (site) => {
      await says(site, 'adele creates one, of 3 CPUs', async () => site.create('one', BIG), 5);
      await says(site, 'adele creates two, of 3 CPUs', async () => site.create('two', BIG), 300);
      await says(site, 'adele deletes one', async () => site.delete('one'), 5);
      expect(await site.phaseOf('two')).to.equal('Running');
    });
  });

  it('and find it on a hypervisor that joins', async () => {
    await tell('hypervisor-joins', { hypervisors: { hv1: {}, hv2: {} } }, async (site) => {
      site.kill('hv2');
      await says(site, 'hv2 is cordoned', async () => site.cordon('hv2', true), 60);
      await says(site, 'adele creates one, of 3 CPUs', async () => site.create('one', BIG), 5);
      await says(site, 'adele creates two, of 3 CPUs', async () => site.create('two', BIG), 60);
      await says(site, 'hv2 is uncordoned', async () => site.cordon('hv2', false), 10);
      await says(site, 'the daemon of hv2 starts', () => site.start('hv2'), 20);
      expect(await site.phaseOf('two')).to.equal('Running');
    });
  });

  it('all at once, and are never promised more than there is', async () => {
    await tell('all-at-once', { hypervisors: { hv1: {}, hv2: {} } }, async (site) => {
      const names = Array.from({ length: 12 }, (_, n) => `vm${n}`);
      const createAll = async () => {
        await Promise.all(names.map(async (name) => site.create(name)));
      };
      await says(site, 'adele creates twelve VMs of one CPU each', createAll, 5);
      const phases = await Promise.all(names.map(async (name) => site.phaseOf(name)));
      expect(phases.filter((phase) => phase === 'Running')).to.have.length(8);
      expect(phases.filter((phase) => phase === 'Scheduling')).to.have.length(4);
    });
  });

  it('and are refused by a hypervisor that somebody fills in the same moment', async () => {
    await tell('refused', { hypervisors: { hv1: {}, hv2: {} } }, async (site) => {
      const both = async () => {
        site.host('hv1').createForeign(FOREIGN);
        await site.create('web');
      };
      await says(site, 'somebody starts a guest of 4 CPUs on hv1 by hand while adele creates web', both, 40);
      expect((await site.machine('web')).status?.placement).to.include({ hypervisor: 'hv2', epoch: 2 });
    });
  });

  it('and wait at rest while foreign guests fill every hypervisor', async () => {
    await tell('filled-by-others', { hypervisors: { hv1: {}, hv2: {} } }, async (site) => {
      for (const name of ['hv1', 'hv2']) {
        const guest = { ...FOREIGN, uuid: uuidFor(`on ${name}`) };
        await says(
          site,
          `somebody starts a guest of 4 CPUs on ${name} by hand`,
          () => site.host(name).createForeign(guest),
          40,
        );
      }
      site.forgetWrites();
      await says(site, 'adele creates web', async () => site.create('web'), 3_600);
      expect(site.machineWrites()).to.deep.equal(['operator status']);
      const stop = () => {
        for (const host of site.hosts.values())
          host.machine.list().forEach(({ uuid }) => host.destroyBehindOurBack(uuid));
      };
      await says(site, 'somebody stops both guests', stop, 10);
      expect(await site.phaseOf('web')).to.equal('Running');
    });
  });

  it('and lose it when somebody fills the hypervisor while they are stopped', async () => {
    await tell('place-taken', { hypervisors: { hv1: {}, hv2: {} } }, async (site) => {
      const placement = { preferredHypervisors: ['hv1'] };
      await says(
        site,
        'adele creates one, of 3 CPUs, preferring hv1',
        async () => site.create('one', { ...BIG, placement }),
        5,
      );
      await says(site, 'adele stops one', async () => site.edit('one', { powerState: 'Stopped' }), 5);
      await says(
        site,
        'adele creates two, of 3 CPUs, preferring hv1',
        async () => site.create('two', { ...BIG, placement }),
        5,
      );
      await says(site, 'adele starts one', async () => site.edit('one', { powerState: 'Running' }), 5);
      expect((await site.machine('one')).status?.placement).to.include({ hypervisor: 'hv2', epoch: 2 });
      expect(
        site
          .host('hv1')
          .machine.list()
          .map(({ name }) => name),
      ).to.deep.equal(['team.two']);
    });
  });
});
