import { expect } from 'chai';
import { findCondition } from '#crds/conditions.ts';
import { hypervisorResource } from '#crds/v1alpha1/kinds.ts';
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

  it('and are guaranteed no more than there is, however overcommitted it is', async () => {
    await tell('guarantees', { hypervisors: { hv1: {} } }, async (site) => {
      const overcommit = { cpuPercent: 400, memoryPercent: 100 };
      const overcommitted = async () => {
        await site.user.mergePatch(hypervisorResource, { name: 'hv1' }, { spec: { overcommit } });
      };
      await says(site, 'hv1, of 4 CPUs, is overcommitted four times', overcommitted, 40);
      const reserving = (cpuReservation: string) => ({ resources: { cpus: 4, memory: '1Gi', cpuReservation } });
      for (const name of ['one', 'two', 'three'])
        await says(
          site,
          `adele creates ${name}, reserving 1.5 CPUs`,
          async () => site.create(name, reserving('1.5')),
          5,
        );
      expect(await site.phaseOf('three')).to.equal('Scheduling');
      await says(site, 'adele creates four, which reserves nothing', async () => site.create('four', BIG), 5);
      expect(await site.phaseOf('four')).to.equal('Running');
      const uuid = await site.uuidOf('one');
      await says(site, 'adele lets one reserve 3 CPUs', async () => site.edit('one', reserving('3')), 5);
      expect(site.host('hv1').machine.limits(uuid).cpuShares, 'it keeps what it had').to.equal(15_360);
      await says(site, 'adele lets one reserve half a CPU', async () => site.edit('one', reserving('500m')), 5);
      expect(site.host('hv1').machine.limits(uuid)).to.deep.equal({ cpuShares: 5120 });
      expect(await site.phaseOf('three')).to.equal('Running');
      await says(
        site,
        'somebody changes the shares of one by hand',
        () => site.host('hv1').machine.setLimits(uuid, { cpuShares: 2 }),
        40,
      );
      expect(site.host('hv1').machine.limits(uuid)).to.deep.equal({ cpuShares: 5120 });
    });
  });

  it('and find none where CPU time cannot be guaranteed, and are told so where they run', async () => {
    const features = new Set(['GracefulShutdown', 'Events'] as const);
    await tell('cannot-guarantee', { hypervisors: { hv1: { features } } }, async (site) => {
      const limited = { resources: { cpus: 1, memory: '1Gi', cpuLimit: '500m' } };
      await says(site, 'adele creates limited, of at most half a CPU', async () => site.create('limited', limited), 5);
      expect(await site.phaseOf('limited')).to.equal('Scheduling');
      await says(site, 'adele creates plain', async () => site.create('plain'), 5);
      await says(site, 'adele limits plain to half a CPU', async () => site.edit('plain', limited), 5);
      const ready = findCondition((await site.machine('plain')).status?.conditions, 'Ready');
      expect(ready).to.include({ status: 'False', reason: 'GuaranteesNotKept' });
      await says(
        site,
        'adele takes the limit back',
        async () => site.edit('plain', { resources: { cpuLimit: null } }),
        5,
      );
      expect(findCondition((await site.machine('plain')).status?.conditions, 'Ready')?.status).to.equal('True');
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
