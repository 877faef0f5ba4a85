import { expect } from 'chai';
import { uuidFor } from '#test/builders/uuid.ts';
import { PATIENCE_MS, says, tell } from './story.ts';

const BIG = { resources: { cpus: 3, memory: '1Gi' } };
const TWO = { resources: { cpus: 2, memory: '1Gi' } };
const NO_BOOT_FILES = { bootFiles: new Set(['right']) };
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

  it('and leave a hypervisor that cannot start them for one that can', async () => {
    await tell('boot-file-elsewhere', { hypervisors: { hv1: NO_BOOT_FILES, hv2: {} } }, async (site) => {
      const placement = { preferredHypervisors: ['hv1'] };
      await says(site, 'adele creates web, preferring hv1', async () => site.create('web', { placement }), 60);
      expect(await site.phaseOf('web')).to.equal('Running');
      expect((await site.machine('web')).status?.placement).to.include({ hypervisor: 'hv2', epoch: 2 });
    });
  });

  it('and stay where they are tried last, when none can start them', async () => {
    await tell('boot-file-nowhere', { hypervisors: { hv1: NO_BOOT_FILES, hv2: NO_BOOT_FILES } }, async (site) => {
      await says(site, 'adele creates web, with a mistyped kernel', async () => site.create('web'), 3_600);
      expect((await site.machine('web')).status?.placement?.epoch).to.equal(2);
      const boot = { kernel: { image: 'right' } };
      await says(site, 'adele corrects the kernel', async () => site.edit('web', { boot }), 10);
      expect(await site.phaseOf('web')).to.equal('Running');
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

  it('and grow where they run once there is room, crashing meanwhile', async () => {
    await tell('growth', { hypervisors: { hv1: {} } }, async (site) => {
      await says(site, 'adele creates one, of 1 CPU', async () => site.create('one'), 5);
      await says(site, 'adele creates two, of 2 CPUs', async () => site.create('two', TWO), 5);
      await says(site, 'adele sets 3 CPUs for one', async () => site.edit('one', { resources: BIG.resources }), 5);
      const uuid = await site.uuidOf('one');
      await says(site, 'one crashes', () => site.crash(uuid), 10);
      expect(await site.phaseOf('one')).to.equal('Running');
      await says(site, 'adele deletes two', async () => site.delete('two'), 5);
      await says(site, 'adele creates three, of 2 CPUs', async () => site.create('three', TWO), 5);
      await says(site, 'one crashes again', () => site.crash(uuid), 20);
      expect((await site.machine('one')).status?.instance?.resources?.cpus).to.equal(3);
      expect(await site.phaseOf('three')).to.equal('Scheduling');
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
