// Guests that stand still: as it is declared, and as somebody on the hypervisor will have it.
import { expect } from 'chai';
import { findCondition } from '#crds/conditions.ts';
import { steadyLoad } from '#node-daemon/hypervisor/simulated/load.ts';
import type { Site } from './site.ts';
import { PATIENCE_MS, play, says, tell } from './story.ts';

const MINUTE = 60_000;
const ONE = { hypervisors: { hv1: {} } };
const RUN = { powerState: 'Running' } as const;
const PAUSE = { powerState: 'Paused' } as const;
const WITHOUT_PAUSE = {
  hypervisors: { hv1: { features: new Set(['GracefulShutdown', 'Events'] as const) } },
};

async function running(site: Site, spec: Parameters<Site['create']>[1] = {}): Promise<string> {
  await site.create('web', spec);
  await site.clock.advance(10_000);
  expect(await site.phaseOf('web')).to.equal('Running');
  return site.uuidOf('web');
}

async function ready(site: Site): Promise<string> {
  const { status } = await site.machine('web');
  const told = findCondition(status?.conditions, 'Ready');
  return `${status?.phase} ${told?.status} ${told?.reason}`;
}

describe('the story of a guest that stands still', function () {
  this.timeout(PATIENCE_MS);

  it('as it is declared, with two writes each time', async () => {
    await tell('pause', ONE, async (site) => {
      const card = { name: 'net0', network: 'default' };
      await says(site, 'adele creates web', async () => site.create('web', { interfaces: [card] }), 5);
      const { addresses } = (await site.machine('web')).status ?? {};
      site.forgetWrites();
      await says(site, 'adele sets powerState to Paused', async () => site.edit('web', PAUSE), 5);
      expect(site.machineWrites()).to.deep.equal(['operator status', 'hv1 status']);
      expect((await site.machine('web')).status?.addresses, 'it keeps its addresses').to.deep.equal(addresses);
      const bigger = { resources: { cpus: 2, memory: '1Gi' } };
      await says(site, 'adele sets 2 CPUs', async () => site.edit('web', bigger), 5);
      site.forgetWrites();
      await says(site, 'adele sets powerState to Running', async () => site.edit('web', RUN), 5);
      expect(site.machineWrites()).to.deep.equal(['operator status', 'hv1 status']);
      await says(site, 'adele sets powerState to Paused', async () => site.edit('web', PAUSE), 5);
      await says(site, 'adele sets powerState to Stopped', async () => site.edit('web', { powerState: 'Stopped' }), 10);
      await says(site, 'adele sets powerState to Paused', async () => site.edit('web', PAUSE), 5);
      await says(site, 'adele deletes web', async () => site.delete('web'), 10);
    });
  });

  it('as somebody on the hypervisor will have it', async () => {
    await tell('pause-on-host', ONE, async (site) => {
      await says(site, 'adele creates web', async () => site.create('web'), 5);
      const uuid = await site.uuidOf('web');
      const host = site.host('hv1');
      await says(site, 'somebody pauses web on hv1', () => host.pauseBehindOurBack(uuid), 5);
      await says(site, 'adele edits web', async () => site.edit('web', { restartPolicy: 'Always' }), 5);
      expect(await ready(site)).to.equal('Paused False PausedOnHost');
      await says(site, 'adele sets powerState to Paused', async () => site.edit('web', PAUSE), 5);
      await says(site, 'somebody resumes web on hv1', () => host.resumeBehindOurBack(uuid), 5);
      await says(site, 'adele sets powerState to Running', async () => site.edit('web', RUN), 5);
      await says(site, 'somebody pauses web on hv1', () => host.pauseBehindOurBack(uuid), 5);
      await says(site, 'somebody resumes web on hv1', () => host.resumeBehindOurBack(uuid), 5);
      const causes = (await site.machine('web')).status?.transitions?.map(({ cause }) => cause);
      expect(causes).to.include('Somebody resumed the guest on hv1; spec.powerState is Paused, so it is paused again.');
    });
  });

  it('while operator and daemon come and go', async () => {
    await play(ONE, async (site) => {
      await running(site);
      await site.edit('web', PAUSE);
      await site.clock.advance(5_000);
      site.kill('hv1');
      site.kill('operator');
      site.host('hv1').restartManagement();
      await site.clock.advance(5 * MINUTE);
      site.start('hv1');
      site.start('operator');
      await site.clock.advance(MINUTE);
      expect(await ready(site)).to.equal('Paused True Paused');
      await site.edit('web', RUN);
      await site.clock.advance(MINUTE);
      expect(await ready(site)).to.equal('Running True Running');
      const happened = site.witness.happenings.map(({ what }) => what);
      expect(happened).to.deep.equal(['started', 'paused', 'resumed']);
    });
  });
});

describe('a guest that cannot be paused or resumed', function () {
  this.timeout(PATIENCE_MS);

  it('on a hypervisor that cannot do it: runs on, says so, and can be stopped', async () => {
    await play(WITHOUT_PAUSE, async (site) => {
      const uuid = await running(site);
      await site.edit('web', PAUSE);
      await site.clock.advance(MINUTE);
      expect(await ready(site)).to.equal('Running False PauseFailed');
      expect(findCondition((await site.machine('web')).status?.conditions, 'Ready')?.message).to.equal(
        'hv1 could not pause the guest: this hypervisor cannot pause guests. It is tried again, with growing pauses.',
      );
      await site.edit('web', { powerState: 'Stopped' });
      await site.clock.advance(MINUTE);
      expect([await ready(site), site.runningOn(uuid)]).to.deep.equal(['Stopped True Stopped', []]);
    });
  });

  it('at first: is paused, and resumed, when that works', async () => {
    await play(ONE, async (site) => {
      await running(site);
      site.host('hv1').faults.order({ verb: 'pause', outcome: 'Failed' });
      await site.edit('web', PAUSE);
      await site.clock.advance(1_000);
      expect(await ready(site)).to.equal('Running False PauseFailed');
      await site.clock.advance(10_000);
      expect(await ready(site)).to.equal('Paused True Paused');
      site.host('hv1').faults.order({ verb: 'resume', outcome: 'Failed', times: 2 });
      await site.edit('web', RUN);
      await site.clock.advance(1_000);
      expect(await ready(site)).to.equal('Paused False ResumeFailed');
      site.kill('hv1');
      site.start('hv1');
      await site.clock.advance(5 * MINUTE);
      expect(await ready(site)).to.equal('Running True Running');
    });
  });
});

describe('a paused guest that is to stop', function () {
  this.timeout(PATIENCE_MS);

  for (const [what, gracePeriodSeconds, end] of [
    ['hears it, as it is let go on for that', 60, 'shut down'],
    ['is switched off when its grace period is over', 10, 'destroyed'],
  ] as const) {
    it(`though it was paused on the host: ${what}`, async () => {
      await play(ONE, async (site) => {
        const uuid = await running(site, { powerOff: { mode: 'GracefulThenForce', gracePeriodSeconds } });
        site.host('hv1').behave(uuid, { ignoresShutdown: end === 'destroyed' });
        site.host('hv1').pauseBehindOurBack(uuid);
        await site.clock.advance(10_000);
        await site.edit('web', { powerState: 'Stopped' });
        await site.clock.advance(MINUTE);
        expect(await ready(site)).to.equal('Stopped True Stopped');
        const happened = site.witness.happenings.map(({ what: one }) => one);
        expect(happened).to.deep.equal(['started', 'paused', 'resumed', end]);
      });
    });
  }

  it('is paused once more by somebody: it is let go on once, and no more', async () => {
    await play(ONE, async (site) => {
      const uuid = await running(site, { powerOff: { mode: 'GracefulThenForce', gracePeriodSeconds: 20 } });
      site.host('hv1').behave(uuid, { ignoresShutdown: true });
      site.host('hv1').pauseBehindOurBack(uuid);
      await site.edit('web', { powerState: 'Stopped' });
      await site.clock.advance(3_000);
      site.host('hv1').pauseBehindOurBack(uuid);
      await site.clock.advance(MINUTE);
      const happened = site.witness.happenings.map(({ what }) => what);
      expect(happened).to.deep.equal(['started', 'paused', 'resumed', 'paused', 'destroyed']);
    });
  });
});

describe('the usage of a paused guest', function () {
  this.timeout(PATIENCE_MS);

  it('falls to nothing but its memory, and is then left alone', async () => {
    await play(ONE, async (site) => {
      const uuid = await running(site);
      const rates = { memoryBytes: 2 ** 29, networkReceive: 0, networkTransmit: 0, diskRead: 0, diskWrite: 0 };
      site.host('hv1').setLoad(uuid, steadyLoad({ cpuMillis: 500, ...rates }));
      await site.clock.advance(20 * MINUTE);
      const busy = (await site.machine('web')).status?.usage;
      await site.edit('web', PAUSE);
      await site.clock.advance(20 * MINUTE);
      const still = (await site.machine('web')).status?.usage;
      expect(busy?.cpu.fifteenMinutes).to.equal(500);
      expect(still?.cpu.fifteenMinutes, 'less than the step between what is told').to.be.at.most(50);
      expect(still?.memory.fifteenMinutes).to.equal(busy?.memory.fifteenMinutes);
    });
  });
});
