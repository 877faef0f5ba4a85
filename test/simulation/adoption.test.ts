// Guests that somebody else made become VirtualMachines, and are let go again. Nothing is ever done to them meanwhile.
import { expect } from 'chai';
import { findCondition } from '#crds/conditions.ts';
import type { HypervisorSpec } from '#crds/v1alpha1/hypervisor.ts';
import { domainReportResource, hypervisorResource } from '#crds/v1alpha1/kinds.ts';
import type { ForeignDomain } from '#node-daemon/hypervisor/simulated/host.ts';
import { uuidFor } from '#test/builders/uuid.ts';
import { OPERATOR } from './kinds.ts';
import type { Fate } from './life.ts';
import type { Site } from './site.ts';
import { PATIENCE_MS, play, says, tell } from './story.ts';

const ONE = { hypervisors: { hv1: {} } };
const TWO = { hypervisors: { hv1: {}, hv2: {} } };
const BY_SUFFIX = { mode: 'Adopt', nameSuffix: '.usher', namespace: 'team' } as const;
const WEB = uuidFor('web.usher');

async function rule(site: Site, adoption: HypervisorSpec['adoption'], hypervisor = 'hv1'): Promise<void> {
  await site.user.mergePatch(hypervisorResource, { name: hypervisor }, { spec: { adoption } });
}

function foreign(site: Site, name: string, more: Partial<ForeignDomain> = {}, hypervisor = 'hv1'): void {
  site.host(hypervisor).createForeign({ uuid: uuidFor(name), name, ...more });
}

async function settle(site: Site, seconds = 60): Promise<void> {
  await site.clock.advance(seconds * 1000);
}

/** What became of the guests since the last call; that somebody noted something with them is no such thing. */
function doings(site: Site): () => string[] {
  const before = site.witness.happenings.length;
  return () => site.witness.happenings.slice(before).map(({ host, what }) => `${host} ${what}`);
}

/** What daemons asked of the hypervisor since the last call that may change something. */
function asked(site: Site, hypervisor = 'hv1'): () => string[] {
  const { log } = site.host(hypervisor);
  const verbs = ['define', 'start', 'destroy', 'shutdown', 'undefine', 'setMetadata', 'release', 'pause', 'resume'];
  const all = () => log.calls.map(({ verb }) => verb).filter((verb) => verbs.includes(verb));
  const before = all().length;
  return () => all().slice(before);
}

async function told(site: Site, name: string): Promise<string> {
  const { status } = await site.machine(name);
  const ready = findCondition(status?.conditions, 'Ready');
  const { hypervisor = '-', epoch = 0 } = status?.placement ?? {};
  return `${status?.phase} ${ready?.reason} ${hypervisor} ${epoch} ${status?.managed?.origin ?? '-'}`;
}

async function verdicts(site: Site): Promise<string[]> {
  const { items } = await site.user.list(domainReportResource);
  return items
    .map(({ status }) => `${status?.domain?.name} ${status?.verdict?.outcome} ${status?.verdict?.reason}`)
    .sort();
}

async function resultsOf(site: Site, name: string): Promise<string[]> {
  const { status } = await site.operation(name);
  return [status?.phase ?? '', ...(status?.results ?? []).map((one) => `${one.name} ${one.outcome} ${one.reason}`)];
}

describe('a guest that somebody else made', () => {
  it('is adopted by the suffix of its name, paused, resumed, let go, and not taken back by the rule', async () => {
    await tell('adopted-by-suffix', ONE, async (site) => {
      foreign(site, 'web.usher');
      foreign(site, 'other');
      const [since, calls] = [doings(site), asked(site)];
      await says(site, 'an administrator has hv1 adopt what ends with .usher', async () => rule(site, BY_SUFFIX), 60);
      expect(await told(site, 'web')).to.equal('Running Running hv1 1 Adopted');
      expect(await site.uuidOf('web')).to.equal(WEB);
      expect(calls()).to.deep.equal(['setMetadata']);
      expect(since()).to.deep.equal([]);
      expect(await verdicts(site)).to.deep.equal(['other LeftAlone NotAskedFor']);
      const { spec, status } = await site.machine('web');
      expect(spec).to.deep.include({ deletionPolicy: 'Release', restartPolicy: 'Never' });
      expect(status?.pendingChanges ?? []).to.deep.equal([]);
      await says(site, 'web is declared Paused', async () => site.edit('web', { powerState: 'Paused' }), 20);
      expect(await site.phaseOf('web')).to.equal('Paused');
      await says(site, 'and Running', async () => site.edit('web', { powerState: 'Running' }), 20);
      await says(site, 'web is deleted', async () => site.delete('web'), 120);
      expect(site.runningOn(WEB)).to.deep.equal(['hv1']);
      expect(await verdicts(site)).to.deep.equal(['other LeftAlone NotAskedFor', 'web.usher LeftAlone Released']);
      expect(since()).to.deep.equal(['hv1 paused', 'hv1 resumed', 'hv1 released']);
      await says(
        site,
        'an operation adopts it again',
        async () => site.operate('again', { type: 'Adopt', targets: { set: 'web' } }),
        60,
      );
      expect(await resultsOf(site, 'again')).to.deep.equal(['Succeeded', 'web Succeeded Done']);
      expect(await told(site, 'web')).to.equal('Running Running hv1 1 Adopted');
    });
  }).timeout(PATIENCE_MS);

  it('is adopted by a regular expression, off as it is, and started as it was found until something else is declared', async () => {
    await play(ONE, async (site) => {
      foreign(site, 'db', { running: false });
      await rule(site, { mode: 'Adopt', nameRegex: 'd[a-z]', namespace: 'team' });
      await settle(site);
      expect(await told(site, 'db')).to.equal('Stopped Stopped hv1 1 Adopted');
      const calls = asked(site);
      await site.edit('db', { powerState: 'Running' });
      await settle(site);
      expect(await told(site, 'db')).to.equal('Running Running hv1 2 Adopted');
      expect(calls()).to.deep.equal(['setMetadata', 'start', 'setMetadata']);
      await site.edit('db', { resources: { cpus: 2 } });
      await settle(site);
      const { status } = await site.machine('db');
      expect(status?.pendingChanges?.map(({ field }) => field)).to.deep.equal(['spec.resources.cpus', 'hardware']);
      await site.edit('db', { powerState: 'Stopped', powerOff: { mode: 'Force' } });
      await settle(site);
      const restart = asked(site);
      await site.edit('db', { powerState: 'Running' });
      await settle(site);
      expect(restart()).to.include('define');
      expect(site.host('hv1').machine.get(uuidFor('db'))).to.include({ name: 'db', cpus: 2 });
    });
  }).timeout(PATIENCE_MS);

  it('is refused, with the reason, where a VirtualMachine cannot say what it is or what it is called', async () => {
    await play(ONE, async (site) => {
      await site.create('taken');
      await settle(site, 20);
      const calls = asked(site);
      const obstacles = [{ field: 'devices.hostdev', message: 'A VirtualMachine cannot say this.' }];
      foreign(site, 'card.usher', { obstacles });
      foreign(site, 'Not a label.usher', { running: false });
      foreign(site, 'taken.usher', { running: false });
      await rule(site, BY_SUFFIX);
      await settle(site);
      expect(await verdicts(site)).to.deep.equal([
        'Not a label.usher Refused InvalidName',
        'card.usher Refused NotAdoptable',
        'taken.usher Refused NameTaken',
      ]);
      await site.operate('all', { type: 'Adopt', targets: { set: '*' } });
      await site.operate('none', { type: 'Adopt', targets: { set: 'nobody' } });
      await settle(site);
      expect(await resultsOf(site, 'all')).to.deep.equal([
        'Failed',
        'card Failed NotAdoptable',
        'taken Failed NameTaken',
      ]);
      expect(await resultsOf(site, 'none')).to.deep.equal(['Failed', 'nobody Failed NotFound']);
      expect((await site.machines()).map(({ metadata }) => metadata.name)).to.deep.equal(['taken']);
      expect(calls()).to.deep.equal([]);
    });
  }).timeout(PATIENCE_MS);

  it('is never taken where two hypervisors report it: one of them may be lying', async () => {
    await play(TWO, async (site) => {
      foreign(site, 'web.usher');
      foreign(site, 'web.usher', { running: false }, 'hv2');
      await settle(site);
      await rule(site, BY_SUFFIX);
      await settle(site);
      expect(await verdicts(site)).to.deep.equal([
        'web.usher LeftAlone NotAskedFor',
        'web.usher Refused ReportedTwice',
      ]);
      expect(await site.machines()).to.deep.equal([]);
    });
  }).timeout(PATIENCE_MS);

  it('is not even reported where adoption is off, and by default not touched', async () => {
    await play(TWO, async (site) => {
      const calls = [asked(site), asked(site, 'hv2')];
      foreign(site, 'web.usher');
      foreign(site, 'db', {}, 'hv2');
      await rule(site, { mode: 'Off' });
      await settle(site, 600);
      expect(await verdicts(site)).to.deep.equal(['db LeftAlone NotAskedFor']);
      expect(calls.flatMap((since) => since())).to.deep.equal([]);
    });
  }).timeout(PATIENCE_MS);

  it('is let go by an operation, though its deletion would have stopped it', async () => {
    await play(ONE, async (site) => {
      await site.create('web');
      await settle(site, 20);
      const [uuid, since] = [await site.uuidOf('web'), doings(site)];
      await site.operate('go', { type: 'Release', targets: { set: 'web' } });
      await settle(site);
      expect(await resultsOf(site, 'go')).to.deep.equal(['Succeeded', 'web Succeeded Done']);
      expect(await site.machines()).to.deep.equal([]);
      expect(site.runningOn(uuid)).to.deep.equal(['hv1']);
      expect(since()).to.deep.equal(['hv1 released']);
    });
  }).timeout(PATIENCE_MS);

  it('is left alone where it ended before it was adopted', async () => {
    await play(ONE, async (site) => {
      foreign(site, 'web.usher');
      site.host('hv1').faults.order({ verb: 'setMetadata', outcome: 'Failed', times: 2 });
      await rule(site, BY_SUFFIX);
      await settle(site, 12);
      const calls = asked(site);
      site.host('hv1').powerOffFromInside(WEB);
      await settle(site);
      expect(await told(site, 'web')).to.match(/^Starting AdoptionPending hv1 1/);
      expect(calls()).to.deep.equal([]);
      await site.edit('web', { powerState: 'Stopped' });
      await settle(site);
      expect(await told(site, 'web')).to.equal('Stopped Stopped hv1 1 Adopted');
    });
  }).timeout(PATIENCE_MS);

  for (const process of [OPERATOR, 'hv1']) {
    it(`is adopted, and nothing is done to it, whenever ${process} dies`, async () => {
      for (const moment of ['before', 'after'] as const) {
        for (let step = 1; step <= 24; step += 3)
          await adoptAndLetGo({ step, moment, forMilliseconds: 3_000 }, process);
      }
    }).timeout(10 * PATIENCE_MS);
  }
});

async function adoptAndLetGo(fate: Fate, process: string): Promise<void> {
  await play(ONE, async (site) => {
    foreign(site, 'web.usher');
    const since = doings(site);
    site.doom(process, fate);
    await rule(site, BY_SUFFIX);
    await settle(site, 120);
    expect(await told(site, 'web'), `${process} died at ${fate.step}`).to.equal('Running Running hv1 1 Adopted');
    expect(since()).to.deep.equal([]);
    site.doom(process, fate);
    await site.operate('go', { type: 'Release', targets: { set: 'web' } });
    await settle(site, 120);
    expect((await resultsOf(site, 'go'))[1]).to.match(/^web (Succeeded Done|Unknown Gone)$/);
    expect(since(), `${process} died at ${fate.step}`).to.deep.equal(['hv1 released']);
    expect(await site.machines()).to.deep.equal([]);
  });
}
