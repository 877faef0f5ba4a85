// People ask for a stop and think better of it, at the worst of moments.
import { expect } from 'chai';
import { hypervisorResource } from '#crds/v1alpha1/kinds.ts';
import { OPERATOR } from './kinds.ts';
import type { Site } from './site.ts';
import { PATIENCE_MS, play } from './story.ts';

const MINUTE = 60_000;
const ONE = { hypervisors: { hv1: {} } };
const SLOW = { hypervisors: { hv1: { shutdownMilliseconds: 3_000 } } };
const RUN = { powerState: 'Running' } as const;
const STOP = { powerState: 'Stopped' } as const;

async function running(site: Site, spec: Parameters<Site['create']>[1] = {}): Promise<string> {
  await site.create('web', spec);
  await site.clock.advance(10_000);
  expect(await site.phaseOf('web')).to.equal('Running');
  return site.uuidOf('web');
}

describe('a stop that is taken back', function () {
  this.timeout(PATIENCE_MS);

  it('while nobody could carry it out, and nobody decides: what was granted is executed, and the guest runs again', async () => {
    await play(ONE, async (site) => {
      const uuid = await running(site);
      site.host('hv1').hang();
      await site.edit('web', STOP);
      await site.clock.advance(20_000);
      site.kill(OPERATOR);
      await site.edit('web', RUN);
      site.host('hv1').reconnect();
      await site.clock.advance(MINUTE);
      expect(site.runningOn(uuid)).to.deep.equal([]);
      site.start(OPERATOR);
      await site.clock.advance(MINUTE);
      expect(site.runningOn(uuid)).to.deep.equal(['hv1']);
    });
  });

  it('while the hypervisor is slow to answer: the plug is not pulled on a word of ten seconds ago', async () => {
    await play(ONE, async (site) => {
      const uuid = await running(site, { powerOff: { mode: 'GracefulThenForce', gracePeriodSeconds: 0 } });
      site.host('hv1').faults.order({ verb: 'shutdown', outcome: 'Hang' });
      await site.edit('web', STOP);
      await site.clock.advance(5_000);
      await site.edit('web', RUN);
      await site.clock.advance(MINUTE);
      expect(site.host('hv1').log.calls.filter(({ verb }) => verb === 'destroy')).to.deep.equal([]);
      expect([site.runningOn(uuid), await site.phaseOf('web')]).to.deep.equal([['hv1'], 'Running']);
    });
  });

  it('after the clocks were set back, while its daemon dies: it was asked, and runs again', async () => {
    await play(SLOW, async (site) => {
      await running(site);
      site.clock.jumpWallTime(-24 * 60 * MINUTE);
      await site.edit('web', STOP);
      await site.clock.advance(1_000);
      site.kill('hv1');
      await site.clock.advance(10_000);
      await site.edit('web', RUN);
      await site.clock.advance(5_000);
      site.start('hv1');
      await site.clock.advance(MINUTE);
      expect(await site.phaseOf('web')).to.equal('Running');
    });
  });

  it('while the machine boots: that is no obedience, and the guest is started again', async () => {
    await play(SLOW, async (site) => {
      await running(site);
      await site.edit('web', STOP);
      await site.clock.advance(1_000);
      site.kill('hv1');
      site.host('hv1').reboot();
      await site.edit('web', RUN);
      site.start('hv1');
      await site.clock.advance(2 * MINUTE);
      expect(await site.phaseOf('web')).to.equal('Running');
    });
  });
});

describe('a guest that powered itself off', function () {
  this.timeout(PATIENCE_MS);

  it('is started again by whoever does as its message says, whenever the operator is there to see it', async () => {
    await play(ONE, async (site) => {
      site.host('hv1').powerOffFromInside(await running(site));
      await site.clock.advance(10_000);
      site.kill(OPERATOR);
      await site.edit('web', STOP);
      await site.clock.advance(MINUTE);
      expect((await site.machine('web')).status?.phase, 'not seen yet').to.equal('Stopped');
      site.start(OPERATOR);
      await site.clock.advance(MINUTE);
      await site.edit('web', RUN);
      await site.clock.advance(MINUTE);
      expect(await site.phaseOf('web')).to.equal('Running');
    });
  });
});

describe('a hypervisor that may give more than it has', function () {
  this.timeout(PATIENCE_MS);

  it('is given more guests than it has CPUs, and no more than that', async () => {
    await play(ONE, async (site) => {
      const overcommit = { cpuPercent: 200, memoryPercent: 100 };
      await site.user.mergePatch(hypervisorResource, { name: 'hv1' }, { spec: { overcommit } });
      await site.clock.advance(MINUTE);
      for (const name of ['a', 'b', 'c']) await site.create(name, { resources: { cpus: 3, memory: '1Gi' } });
      await site.clock.advance(MINUTE);
      const phases = await Promise.all(['a', 'b', 'c'].map(async (name) => site.phaseOf(name)));
      expect(phases).to.have.members(['Running', 'Running', 'Scheduling']);
    });
  });
});
