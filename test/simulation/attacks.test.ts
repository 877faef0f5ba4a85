// What somebody could do to a site to make it break a promise, each tried on a whole site.
import { expect } from 'chai';
import { findCondition } from '#crds/conditions.ts';
import { hypervisorResource } from '#crds/v1alpha1/kinds.ts';
import { HEARTBEAT_LABEL, heartbeatLeaseName, SYSTEM_NAMESPACE } from '#crds/v1alpha1/names.ts';
import { KubeError } from '#runtime/kube/errors.ts';
import { LEASES } from '#runtime/lease/lease.ts';
import { uuidFor } from '#test/builders/uuid.ts';
import { OPERATOR } from './kinds.ts';
import type { Site } from './site.ts';
import { play } from './story.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;
const ONE = { hypervisors: { hv1: {} } };
const TWO = { hypervisors: { hv1: {}, hv2: {} } };
const ON_HV1 = { placement: { preferredHypervisors: ['hv1'] } };
const PATIENT = { powerOff: { mode: 'GracefulThenForce', gracePeriodSeconds: 30 } } as const;

async function running(site: Site, name: string, spec: Parameters<Site['create']>[1] = {}): Promise<string> {
  await site.create(name, spec);
  await site.clock.advance(10_000);
  expect(await site.phaseOf(name)).to.equal('Running');
  return site.uuidOf(name);
}

function guestsOn(site: Site, host: string): string[] {
  return site
    .host(host)
    .machine.list()
    .map(({ name, powerState }) => `${name} ${powerState}`);
}

describe('what happens on a machine behind our back', () => {
  it('cannot make us take a copy of a guest for the guest: neither is harmed, and neither is overlooked', async () => {
    await play(ONE, async (site) => {
      const uuid = await running(site, 'web', PATIENT);
      const { machine } = site.host('hv1');
      site.host('hv1').createForeign({ uuid: uuidFor('copy'), name: 'copy' });
      machine.get(uuidFor('copy')).metadata = machine.get(uuid).metadata;
      site.host('hv1').behave(uuid, { ignoresShutdown: true });
      await site.delete('web');
      await site.clock.advance(10_000);
      expect(await site.phaseOf('web')).to.equal('Terminating');
      expect(guestsOn(site, 'hv1')).to.deep.equal(['team.web Running', 'copy Running']);
      await site.clock.advance(MINUTE);
      expect(guestsOn(site, 'hv1')).to.deep.equal(['copy Running']);
      expect(await site.machines()).to.deep.equal([]);
    });
  });

  it('cannot run a second copy on another machine without being told of it', async () => {
    await play(TWO, async (site) => {
      const uuid = await running(site, 'web', ON_HV1);
      site.host('hv2').createForeign({ uuid, name: 'team.web' });
      site.host('hv2').machine.get(uuid).metadata = site.host('hv1').machine.get(uuid).metadata;
      await site.clock.advance(2 * MINUTE);
      const { status } = await site.user.get(hypervisorResource, { name: 'hv2' });
      expect(status?.unmanaged).to.deep.equal([{ name: 'team.web', uuid, powerState: 'Running', reason: 'Orphaned' }]);
      expect(await site.phaseOf('web')).to.equal('Running');
      expect(site.invariants.broken.splice(0), 'by hand').to.deep.equal([`${uuid} runs on hv1 and hv2`]);
      site.host('hv2').destroyBehindOurBack(uuid);
    });
  });

  it('cannot start what was told to have ended, under a permission that others hold', async () => {
    await play(TWO, async (site) => {
      const uuid = await running(site, 'web', ON_HV1);
      await site.edit('web', { powerState: 'Stopped' });
      await site.clock.advance(10_000);
      await site.host('hv1').machine.start(uuid);
      await site.clock.advance(2 * MINUTE);
      expect(site.runningOn(uuid)).to.deep.equal([]);
      expect(await site.phaseOf('web')).to.equal('Stopped');
    });
  });

  it('cannot keep a VM from running elsewhere by taking its name', async () => {
    await play(TWO, async (site) => {
      site.host('hv1').createForeign({ uuid: uuidFor('squatter'), name: 'team.web', running: false });
      await site.create('web', ON_HV1);
      await site.clock.advance(MINUTE);
      expect(site.runningOn(await site.uuidOf('web'))).to.deep.equal(['hv2']);
      expect(guestsOn(site, 'hv1')).to.deep.equal(['team.web ShutOff']);
    });
  });
});

describe('what happens on the only machine behind our back', () => {
  it('cannot make us ask for the same name for ever: the VM waits, says who has it, and runs once it is free', async () => {
    await play(ONE, async (site) => {
      site.host('hv1').createForeign({ uuid: uuidFor('squatter'), name: 'team.web', running: false });
      await site.create('web');
      await site.clock.advance(30 * MINUTE);
      const ready = findCondition((await site.machine('web')).status?.conditions, 'Ready');
      expect(ready?.message).to.match(/the name team\.web belongs to .*virsh undefine/);
      site.forgetWrites();
      await site.clock.advance(60 * MINUTE);
      expect(site.machineWrites()).to.deep.equal([]);
      site.host('hv1').undefineBehindOurBack(uuidFor('squatter'));
      await site.clock.advance(5 * MINUTE);
      expect(await site.phaseOf('web')).to.equal('Running');
    });
  });
});

describe('a machine that is slow or silent', () => {
  it('does not give back a permission under which a start may still be carried out', async () => {
    await play({ hypervisors: { hv1: { startMilliseconds: 15_000 }, hv2: {} } }, async (site) => {
      await site.create('web', ON_HV1);
      await site.clock.advance(11_000);
      await site.edit('web', { powerState: 'Stopped', placement: { preferredHypervisors: ['hv2'] } });
      await site.clock.advance(1_000);
      await site.edit('web', { powerState: 'Running' });
      await site.clock.advance(MINUTE);
      expect(await site.phaseOf('web')).to.equal('Running');
    });
  });

  it('survives that somebody writes to a VM while it starts slowly', async () => {
    await play({ hypervisors: { hv1: { startMilliseconds: 5_000 } } }, async (site) => {
      await site.create('web');
      await site.clock.advance(1_000);
      await site.edit('web', { restartPolicy: 'Always' });
      await site.clock.advance(MINUTE);
      expect(await site.phaseOf('web')).to.equal('Running');
    });
  });

  it('removes a guest that cannot be asked to shut down', async () => {
    await play(ONE, async (site) => {
      await running(site, 'web', PATIENT);
      site.host('hv1').faults.order({ verb: 'shutdown', outcome: 'Timeout', times: 100 });
      await site.delete('web');
      await site.clock.advance(2 * MINUTE);
      expect(await site.machines()).to.deep.equal([]);
      expect(guestsOn(site, 'hv1')).to.deep.equal([]);
    });
  });

  it('looks after its guests though it may write nothing of itself', async () => {
    await play(ONE, async (site) => {
      const uuid = await running(site, 'web');
      site.api.faults.add({
        match: ({ kind, verb }) => kind === 'Hypervisor' && verb.endsWith('Patch'),
        times: 1_000,
        refuse: new KubeError('Forbidden', 'no'),
      });
      site.kill('hv1');
      site.host('hv1').crash(uuid);
      site.start('hv1');
      await site.clock.advance(MINUTE);
      expect(site.runningOn(uuid)).to.deep.equal(['hv1']);
      site.api.faults.clear();
    });
  });
});

describe('lies and mishaps around the API server', () => {
  it('a daemon cannot speak for another by a label on its own Lease', async () => {
    await play(TWO, async (site) => {
      await running(site, 'web', ON_HV1);
      site.kill('hv1');
      const key = { namespace: SYSTEM_NAMESPACE, name: heartbeatLeaseName('hv2') };
      const forged = { metadata: { labels: { [HEARTBEAT_LABEL]: 'hv1' } } };
      for (let seconds = 0; seconds < 90; seconds += 5) {
        await site.api.asUser('hv2').mergePatch(LEASES, key, { ...forged, spec: { renewTime: `${seconds}` } });
        await site.clock.advance(5_000);
      }
      expect(await site.phaseOf('web')).to.equal('Lost');
    });
  });

  it('clocks that are set by days change nothing', async () => {
    await play(TWO, async (site) => {
      const uuid = await running(site, 'web');
      for (const days of [1, -3, 400, -800]) {
        site.clock.jumpWallTime(days * DAY);
        await site.clock.advance(2 * MINUTE);
        expect(await site.phaseOf('web')).to.equal('Running');
        expect((await site.machine('web')).status?.placement?.epoch).to.equal(1);
      }
      expect(site.runningOn(uuid)).to.have.length(1);
    });
  });

  it('deleted Leases come back, and nobody is lost', async () => {
    await play(TWO, async (site) => {
      await running(site, 'web');
      const { items } = await site.user.list(LEASES);
      for (const { metadata } of items)
        await site.user.delete(LEASES, { namespace: SYSTEM_NAMESPACE, name: metadata.name });
      await running(site, 'db');
      await site.clock.advance(2 * MINUTE);
      expect((await site.machine('web')).status?.transitions?.map(({ type }) => type)).to.not.include('Lost');
    });
  });

  it('a name that is used again and again never meets its predecessor', async () => {
    await play(TWO, async (site) => {
      for (let round = 0; round < 12; round++) {
        await site.create('web', { powerOff: { mode: 'Force', gracePeriodSeconds: 0 } });
        await site.clock.advance(round * 13);
        await site.delete('web');
        const [victim] = [OPERATOR, 'hv1', 'hv2'].slice(round % 4);
        if (victim !== undefined) {
          site.kill(victim);
          site.start(victim);
        }
        await site.clock.advance(30_000);
        expect(await site.machines(), `round ${round}`).to.deep.equal([]);
        expect([...guestsOn(site, 'hv1'), ...guestsOn(site, 'hv2')]).to.deep.equal([]);
      }
    });
  });
});
