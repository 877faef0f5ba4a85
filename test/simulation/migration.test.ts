// A guest moves from one hypervisor to another, again and again, each time with something else going wrong at another
// moment. It must run all the time, once, and be told to run where it does.
import { expect } from 'chai';
import { findCondition } from '#crds/conditions.ts';
import { hypervisorResource } from '#crds/v1alpha1/kinds.ts';
import type { OperationSpec } from '#crds/v1alpha1/operation-spec.ts';
import { steadyLoad } from '#node-daemon/hypervisor/simulated/load.ts';
import { OPERATOR } from './kinds.ts';
import { closeUnbroken, expectNoOrphan, expectTrue } from './settled.ts';
import { Site } from './site.ts';
import { type Death, deathsIn, type Steps } from './sweep.ts';

const PATIENCE_MS = 300_000;
const COPY_MS = 800;
const HAND_OVER_MS = 60;
/** From the wish to the end of the move, and a little more. */
const JOURNEY_MS = 1_400;
/** The moments that are tried: each state of both hypervisors lasts longer. */
const STRIDE_MS = 60;
/** An attempt that failed is repeated after two minutes; the operator may have to wait for a lease before. */
const SETTLE_MS = 420_000;
const REST_MS = 70_000;
const NO_LOAD = steadyLoad({
  cpuMillis: 0,
  memoryBytes: 0,
  networkReceive: 0,
  networkTransmit: 0,
  diskRead: 0,
  diskWrite: 0,
});

async function departing(): Promise<Site> {
  const each = { load: () => NO_LOAD, copyMilliseconds: COPY_MS, handOverMilliseconds: HAND_OVER_MS };
  const site = await new Site({ hypervisors: { hv1: each, hv2: each }, latencyMilliseconds: 4 }).open();
  await site.create('web', { placement: { preferredHypervisors: ['hv1'] } });
  await site.clock.advance(10_000);
  site.countAnew();
  site.forgetWrites();
  return site;
}

function stepsOf(site: Site): Steps {
  return { operator: [...site.stepsOf(OPERATOR)], hv1: [...site.stepsOf('hv1')], hv2: [...site.stepsOf('hv2')] };
}

/** What was done to the guest, in words. */
async function happenedTo(site: Site): Promise<string[]> {
  const uuid = await site.uuidOf('web');
  return site.witness.happenings.filter((one) => one.uuid === uuid).map(({ host, what }) => `${host} ${what}`);
}

/** It runs where its status says, and was never off in between: it was started once. */
async function expectMoved(site: Site): Promise<void> {
  const web = await site.machine('web');
  const happened = await happenedTo(site);
  const words = `${JSON.stringify(web.status?.migration)} ${happened.join(', ')}`;
  expect([web.status?.phase, web.status?.placement?.hypervisor], words).to.deep.equal(['Running', 'hv2']);
  expect(
    happened.filter((what) => what.endsWith(' started')),
    words,
  ).to.deep.equal(['hv1 started']);
  await expectSettled(site);
}

async function expectSettled(site: Site): Promise<void> {
  const machines = await site.machines();
  for (const vm of machines) expectTrue(site, vm);
  await expectNoOrphan(site, machines);
  site.forgetWrites();
  await site.clock.advance(REST_MS);
  expect(site.writes(), 'writes at rest').to.deep.equal([]);
  await site.delete('web');
  await site.clock.advance(40_000);
  expect(await site.machines(), 'after it was deleted').to.deep.equal([]);
  for (const host of site.hosts.values()) expect(host.machine.list(), 'what is left').to.deep.equal([]);
  await closeUnbroken(site);
}

async function move(death?: Death): Promise<Steps> {
  const site = await departing();
  if (death !== undefined) site.doom(death.of, death.fate);
  await site.maintain('hv1', true);
  await site.clock.advance(10_000);
  const steps = stepsOf(site);
  await site.clock.advance(SETTLE_MS);
  await expectMoved(site);
  return steps;
}

describe('a guest that moves to another hypervisor', () => {
  it('costs six writes: plan, ready, moving, arrived, flip, close', async () => {
    const site = await departing();
    await site.maintain('hv1', true);
    await site.clock.advance(10_000);
    expect(site.machineWrites()).to.deep.equal([
      'operator status',
      'hv2 status',
      'hv1 status',
      'hv2 status',
      'operator status',
      'hv2 status',
    ]);
    await expectMoved(site);
  }).timeout(PATIENCE_MS);

  it('goes only where what was guaranteed to it can be kept, and takes along what it has of it', async () => {
    const site = await departing();
    const reserving = (cpuReservation: string) => ({ resources: { cpus: 1, memory: '1Gi', cpuReservation } });
    await site.edit('web', reserving('1500m'));
    await site.create('other', { ...reserving('1'), placement: { preferredHypervisors: ['hv2'] } });
    await site.create('third', { ...reserving('1'), placement: { preferredHypervisors: ['hv2'] } });
    await site.create('fourth', { ...reserving('1'), placement: { preferredHypervisors: ['hv2'] } });
    await site.clock.advance(10_000);
    await site.maintain('hv1', true);
    await site.clock.advance(60_000);
    const { status } = await site.user.get(hypervisorResource, { name: 'hv1' });
    expect(findCondition(status?.conditions, 'Draining')?.message).to.include('too few CPUs left to reserve');
    expect(site.runningOn(await site.uuidOf('web'))).to.deep.equal(['hv1']);
    for (const name of ['other', 'third', 'fourth']) await site.delete(name);
    await site.clock.advance(120_000);
    const uuid = await site.uuidOf('web');
    expect(site.host('hv2').machine.limits(uuid).cpuShares).to.equal(15_360);
    await expectMoved(site);
  }).timeout(PATIENCE_MS);

  it('runs on, once, whoever dies at whatever step', async () => {
    const deaths = deathsIn(await move());
    expect(deaths.length).to.be.greaterThan(50);
    for (const death of deaths) {
      const { step, moment, forMilliseconds } = death.fate;
      await move(death).catch((error: unknown) => {
        const when = `death of ${death.of} ${moment} step ${step} for ${forMilliseconds} ms`;
        throw new Error(`${when}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
      });
    }
  }).timeout(PATIENCE_MS);

  const managements: [string, (site: Site) => void][] = [
    ['the hypervisor it leaves is restarted', (site) => site.host('hv1').restartManagement()],
    ['the hypervisor it moves to is restarted', (site) => site.host('hv2').restartManagement()],
    [
      'both are restarted',
      (site) => {
        site.host('hv1').restartManagement();
        site.host('hv2').restartManagement();
      },
    ],
    [
      'both daemons die with them',
      (site) => {
        for (const name of ['hv1', 'hv2']) {
          site.kill(name);
          site.host(name).restartManagement();
        }
      },
    ],
  ];
  for (const [what, happen] of managements) {
    it(`runs on, once, when ${what}, at whatever moment`, async () => {
      for (let at = 0; at <= JOURNEY_MS; at += STRIDE_MS) {
        const site = await departing();
        await site.maintain('hv1', true);
        await site.clock.advance(at);
        happen(site);
        await site.clock.advance(2_000);
        for (const name of ['hv1', 'hv2']) if (!site.isAlive(name)) site.start(name);
        await site.clock.advance(SETTLE_MS);
        await expectMoved(site).catch((error: unknown) => {
          throw new Error(`after ${at} ms: ${error instanceof Error ? error.message : String(error)}`, {
            cause: error,
          });
        });
      }
    }).timeout(PATIENCE_MS);
  }

  for (const victim of ['hv1', 'hv2'] as const) {
    it(`is told to be what it is when ${victim} boots, at whatever moment`, async () => {
      for (let at = 0; at <= JOURNEY_MS; at += STRIDE_MS) {
        const site = await departing();
        await site.edit('web', { recovery: { onMissing: 'Recreate' } });
        await site.maintain('hv1', true);
        await site.clock.advance(at);
        site.kill(victim);
        site.host(victim).reboot();
        await site.clock.advance(2_000);
        site.start(victim);
        await site.clock.advance(SETTLE_MS);
        const web = await site.machine('web');
        const words = `after ${at} ms: ${JSON.stringify(web.status?.migration)} ${(await happenedTo(site)).join(', ')}`;
        expect([web.status?.phase, web.status?.placement?.hypervisor], words).to.deep.equal(['Running', 'hv2']);
        await expectSettled(site);
      }
    }).timeout(PATIENCE_MS);
  }
});

describe('a guest that an operation has move', () => {
  const begin = async (site: Site, spec: Partial<OperationSpec> = {}) => {
    const targets = { set: 'web' };
    await site.operate('away', { type: 'Migrate', targets, ...spec });
  };
  const outcome = async (site: Site) => {
    const { status } = await site.operation('away');
    return `${status?.phase}: ${status?.results?.[0]?.message}`;
  };

  it('is on the hypervisor that was named, in the words of the operation as well', async () => {
    const site = await departing();
    await begin(site, { hypervisorHints: 'hv2' });
    await site.clock.advance(20_000);
    expect(await outcome(site)).to.equal('Succeeded: The guest has moved from hv1 to hv2, and runs there.');
    await expectMoved(site);
  }).timeout(PATIENCE_MS);

  it('is told at once where it is to move to where it runs', async () => {
    const site = await departing();
    await begin(site, { hypervisorHints: 'hv1' });
    await site.clock.advance(2_000);
    expect(await outcome(site)).to.equal('Failed: It runs on hv1 already.');
    await expectSettled(site);
  }).timeout(PATIENCE_MS);

  it('stays where it is when that is cancelled on its way, and can move after that', async () => {
    const site = await departing();
    await begin(site);
    await site.clock.advance(600);
    expect((await site.machine('web')).status?.phase).to.equal('Migrating');
    await site.editOperation('away', { cancel: true });
    await site.clock.advance(20_000);
    expect((await site.operation('away')).status?.phase).to.equal('Cancelled');
    const { status } = await site.machine('web');
    expect([status?.placement?.hypervisor, status?.migration?.verdict?.result]).to.deep.equal(['hv1', 'Aborted']);
    await site.maintain('hv1', true);
    await site.clock.advance(SETTLE_MS);
    await expectMoved(site);
  }).timeout(PATIENCE_MS);

  it('moves once though the operator dies at any moment', async () => {
    for (let at = 0; at <= JOURNEY_MS; at += STRIDE_MS) {
      const site = await departing();
      await begin(site);
      await site.clock.advance(at);
      site.kill(OPERATOR);
      await site.clock.advance(2_000);
      site.start(OPERATOR);
      await site.clock.advance(SETTLE_MS);
      expect(await outcome(site), `after ${at} ms`).to.match(/^Succeeded: /);
      expect((await site.machine('web')).status?.migration?.plan?.attempt).to.equal(1);
      await expectMoved(site);
    }
  }).timeout(PATIENCE_MS);
});
