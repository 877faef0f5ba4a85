// How a guest ended is told as it was, whatever else happens meanwhile: what follows of it depends on it.
import { expect } from 'chai';
import { KubeError } from '#runtime/kube/errors.ts';
import type { Site } from './site.ts';
import { PATIENCE_MS, play } from './story.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const ONE = { hypervisors: { hv1: {} } };
const FAR = { ...ONE, latencyMilliseconds: 20 };

async function running(site: Site, spec: Parameters<Site['create']>[1] = {}): Promise<string> {
  await site.create('web', spec);
  await site.clock.advance(10_000);
  expect(await site.phaseOf('web')).to.equal('Running');
  return site.uuidOf('web');
}

/** Three crashes, each a second after a start; the fourth life is a second old, and not told. */
async function crashing(site: Site): Promise<string> {
  const uuid = await running(site);
  for (let crashes = 0; crashes < 3; crashes++) {
    site.host('hv1').crash(uuid);
    while (site.runningOn(uuid).length === 0) await site.clock.advance(100);
    await site.clock.advance(1_000);
  }
  return uuid;
}

function failNextReport(site: Site): void {
  site.api.faults.add({
    match: ({ user, verb, kind }) => user === 'hv1' && verb === 'mergePatch' && kind === 'VirtualMachine',
    refuse: new KubeError('Unreachable', 'the connection broke'),
  });
}

async function endOf(site: Site): Promise<string | undefined> {
  return (await site.machine('web')).status?.lastTermination?.reason;
}

describe('an end that could not be told at first', function () {
  this.timeout(PATIENCE_MS);

  it('is told nevertheless, and is not taken for the one before: what is held stays off', async () => {
    await play(ONE, async (site) => {
      const uuid = await crashing(site);
      failNextReport(site);
      site.host('hv1').destroyBehindOurBack(uuid);
      await site.clock.advance(2 * MINUTE);
      expect([await endOf(site), site.runningOn(uuid)]).to.deep.equal(['DestroyedOnHost', []]);
    });
  });

  it('is told nevertheless where somebody edits the VM at that moment', async () => {
    await play(FAR, async (site) => {
      const uuid = await crashing(site);
      site.host('hv1').destroyBehindOurBack(uuid);
      await site.clock.advance(1);
      await site.edit('web', { powerOff: { mode: 'GracefulThenForce', gracePeriodSeconds: 33 } });
      await site.clock.advance(2 * MINUTE);
      expect([await endOf(site), site.runningOn(uuid)]).to.deep.equal(['DestroyedOnHost', []]);
    });
  });

  it('is told though it is of the same kind as the one before', async () => {
    const site = await play(ONE, async (world) => {
      const uuid = await crashing(world);
      const before = (await world.machine('web')).status?.lastTermination?.time;
      failNextReport(world);
      world.host('hv1').crash(uuid);
      await world.clock.advance(2 * MINUTE);
      expect((await world.machine('web')).status?.lastTermination?.time).not.to.equal(before);
    });
    expect(site.narration.text().match(/! web Crashed/g)).to.have.length(4);
  });

  for (const [end, told] of [
    ['destroyBehindOurBack', 'DestroyedOnHost'],
    ['powerOffFromInside', 'StoppedByGuest'],
  ] as const) {
    it(`is told by the next daemon, which knows only of an earlier crash: ${told}`, async () => {
      await play(FAR, async (site) => {
        const uuid = await running(site);
        site.host('hv1').crash(uuid);
        await site.clock.advance(100);
        while (site.runningOn(uuid).length === 0) await site.clock.advance(1);
        site.kill('hv1');
        await site.clock.advance(HOUR);
        site.host('hv1')[end](uuid);
        site.start('hv1');
        await site.clock.advance(2 * MINUTE);
        expect([await endOf(site), site.runningOn(uuid)]).to.deep.equal([told, []]);
      });
    });
  }
});

describe('a guest that ends while it is asked to stop', function () {
  this.timeout(PATIENCE_MS);

  for (const [end, told] of [
    ['crash', 'Crashed'],
    ['destroyBehindOurBack', 'DestroyedOnHost'],
    ['powerOffFromInside', 'StoppedByRequest'],
  ] as const) {
    it(`and had not heard it: ${told}`, async () => {
      await play(ONE, async (site) => {
        const uuid = await running(site);
        site.host('hv1').behave(uuid, { ignoresShutdown: true });
        await site.edit('web', { powerState: 'Stopped' });
        await site.clock.advance(10_000);
        site.host('hv1')[end](uuid);
        await site.clock.advance(10_000);
        expect([await endOf(site), await site.phaseOf('web')]).to.deep.equal([told, 'Stopped']);
      });
    });
  }

  it('and is wanted again: minutes later it may still have obeyed, and runs again, as declared', async () => {
    await play(ONE, async (site) => {
      const uuid = await running(site, { powerOff: { mode: 'GracefulThenForce', gracePeriodSeconds: 10 } });
      site.host('hv1').behave(uuid, { ignoresShutdown: true });
      await site.edit('web', { powerState: 'Stopped' });
      await site.clock.advance(3_000);
      await site.edit('web', { powerState: 'Running' });
      await site.clock.advance(2 * MINUTE);
      site.host('hv1').powerOffFromInside(uuid);
      await site.clock.advance(MINUTE);
      expect([await endOf(site), await site.phaseOf('web')]).to.deep.equal(['StoppedByRequest', 'Running']);
    });
  });

  it('and is wanted again: a crash is no obedience, and is left so where that is the policy', async () => {
    await play(ONE, async (site) => {
      const uuid = await running(site, { restartPolicy: 'Never' });
      site.host('hv1').behave(uuid, { ignoresShutdown: true });
      await site.edit('web', { powerState: 'Stopped' });
      await site.clock.advance(5_000);
      await site.edit('web', { powerState: 'Running' });
      await site.clock.advance(10_000);
      site.host('hv1').crash(uuid);
      await site.clock.advance(MINUTE);
      expect([await endOf(site), site.runningOn(uuid)]).to.deep.equal(['Crashed', []]);
    });
  });
});
