// VMs whose hypervisor fell silent and that are to be started elsewhere: only with a proof, and never twice.
import { expect } from 'chai';
import type { VirtualMachineSpec } from '#crds/v1alpha1/virtual-machine-spec.ts';
import { HOLD } from '#test/builders/virtual-machine.ts';
import { OPERATOR } from './kinds.ts';
import { guardOf, type Site } from './site.ts';
import { PATIENCE_MS, says, tell } from './story.ts';

const THREE = { hypervisors: { hv1: {}, hv2: {}, hv3: {} } };
const GUARDED = { ...THREE, guards: ['hv1', 'hv2', 'hv3'] };
const FENCED = { ...THREE, fencing: true };

function onHv1(recovery: Partial<VirtualMachineSpec['recovery']>): Partial<VirtualMachineSpec> {
  return {
    placement: { preferredHypervisors: ['hv1'] },
    recovery: { ...HOLD, onLost: 'Restart', lostTimeoutSeconds: 60, ...recovery },
  };
}

async function placementOf(site: Site, name: string) {
  return (await site.machine(name)).status?.placement;
}

describe('a VM whose hypervisor fell silent', function () {
  this.timeout(PATIENCE_MS);

  it('is started elsewhere once the guard has stopped it, and its machine settles what is left when it returns', async () => {
    await tell('recovered-by-guard', GUARDED, async (site) => {
      await says(site, 'adele creates web and held, preferring hv1', async () => site.create('web', onHv1({})), 15);
      await says(site, 'held is to be left alone', async () => site.create('held', onHv1({ onLost: 'Hold' })), 15);
      const [web, held] = [await site.uuidOf('web'), await site.uuidOf('held')];
      await says(site, 'hv1 is cut off', () => site.cutOff('hv1', true), 240);
      expect([site.runningOn(web), site.runningOn(held)]).to.deep.equal([['hv2'], ['hv1']]);
      expect(await placementOf(site, 'web')).to.deep.include({ hypervisor: 'hv2', epoch: 2 });
      await says(site, 'hv1 is back', () => site.cutOff('hv1', false), 240);
      expect([site.runningOn(web), site.runningOn(held)]).to.deep.equal([['hv2'], ['hv1']]);
      expect([await site.phaseOf('web'), await site.phaseOf('held')]).to.deep.equal(['Running', 'Running']);
      expect(site.host('hv1').machine.guests.find(web)).to.equal(undefined);
    });
  });

  it('stays lost where it has no guard and the site no fencing', async () => {
    await tell('unproven', THREE, async (site) => {
      await says(site, 'adele creates web, preferring hv1', async () => site.create('web', onHv1({})), 15);
      const web = await site.uuidOf('web');
      await says(site, 'hv1 is cut off', () => site.cutOff('hv1', true), 600);
      expect([await site.phaseOf('web'), site.runningOn(web)]).to.deep.equal(['Lost', ['hv1']]);
      await says(site, 'hv1 is back', () => site.cutOff('hv1', false), 120);
      expect([await site.phaseOf('web'), site.runningOn(web)]).to.deep.equal(['Running', ['hv1']]);
    });
  });

  it('is started elsewhere once its machine was fenced', async () => {
    await tell('recovered-by-fencing', FENCED, async (site) => {
      await says(site, 'adele creates web, preferring hv1', async () => site.create('web', onHv1({})), 15);
      const web = await site.uuidOf('web');
      await says(site, 'hv1 is cut off', () => site.cutOff('hv1', true), 120);
      expect([site.fenced, site.runningOn(web)]).to.deep.equal([['hv1'], ['hv2']]);
      await says(site, 'the daemon of hv1 starts again', () => site.start('hv1'), 240);
      expect([await site.phaseOf('web'), site.runningOn(web)]).to.deep.equal(['Running', ['hv2']]);
    });
  });

  it('is started elsewhere standing still, where it is declared so', async () => {
    await tell('recovered-paused', FENCED, async (site) => {
      const paused = { ...onHv1({}), powerState: 'Paused' } as const;
      await says(site, 'adele creates web, paused, preferring hv1', async () => site.create('web', paused), 15);
      await says(site, 'hv1 is cut off', () => site.cutOff('hv1', true), 120);
      const { status } = await site.machine('web');
      expect([status?.phase, status?.placement?.hypervisor]).to.deep.equal(['Paused', 'hv2']);
      await says(site, 'the daemon of hv1 starts again', () => site.start('hv1'), 240);
    });
  });

  it('is left alone where most of the site fell silent with it', async () => {
    await tell('site-silent', FENCED, async (site) => {
      await says(site, 'adele creates web, preferring hv1', async () => site.create('web', onHv1({})), 15);
      const web = await site.uuidOf('web');
      const cut = (isCutOff: boolean) => ['hv1', 'hv2'].forEach((name) => site.cutOff(name, isCutOff));
      await says(site, 'hv1 and hv2 are cut off', () => cut(true), 600);
      expect([site.fenced, await site.phaseOf('web'), site.runningOn(web)]).to.deep.equal([[], 'Lost', ['hv1']]);
      await says(site, 'they are back', () => cut(false), 120);
      expect(await site.phaseOf('web')).to.equal('Running');
    });
  });

  it('waits for room, and runs on where it was if nobody can take it', async () => {
    const two = { hypervisors: { hv1: {}, hv2: { cpus: 1 } }, fencing: true };
    await tell('recovery-without-room', two, async (site) => {
      const big = { ...onHv1({}), resources: { cpus: 2, memory: '1Gi' } };
      await says(site, 'adele creates web, preferring hv1', async () => site.create('web', big), 15);
      const web = await site.uuidOf('web');
      await says(site, 'hv1 is cut off', () => site.cutOff('hv1', true), 300);
      expect([await site.phaseOf('web'), site.runningOn(web)]).to.deep.equal(['Lost', []]);
      await says(site, 'the daemon of hv1 starts again', () => site.start('hv1'), 300);
      expect([await site.phaseOf('web'), site.runningOn(web)]).to.deep.equal(['Running', ['hv1']]);
    });
  });

  it('is not started elsewhere by an operator that has only just begun to listen', async () => {
    await tell('recovery-by-the-next-operator', GUARDED, async (site) => {
      await says(site, 'adele creates web, preferring hv1', async () => site.create('web', onHv1({})), 15);
      const web = await site.uuidOf('web');
      await says(site, 'hv1 is cut off', () => site.cutOff('hv1', true), 50);
      await says(site, 'the operator is killed', () => site.kill(OPERATOR), 5);
      await says(site, 'the operator starts again', () => site.start(OPERATOR), 50);
      expect(site.runningOn(web)).to.deep.equal([]);
      await site.clock.advance(120_000);
      expect(site.runningOn(web)).to.deep.equal(['hv2']);
      await says(site, 'hv1 is back', () => site.cutOff('hv1', false), 240);
      expect(site.runningOn(web)).to.deep.equal(['hv2']);
    });
  });

  it('whose guard has died before is not proven dead', async () => {
    await tell('guard-dead', GUARDED, async (site) => {
      await says(site, 'adele creates web, preferring hv1', async () => site.create('web', onHv1({})), 15);
      const web = await site.uuidOf('web');
      await says(site, 'the guard of hv1 is killed', () => site.kill(guardOf('hv1')), 30);
      await says(site, 'hv1 is cut off', () => site.cutOff('hv1', true), 300);
      expect([await site.phaseOf('web'), site.runningOn(web)]).to.deep.equal(['Lost', ['hv1']]);
      await says(site, 'hv1 is back', () => site.cutOff('hv1', false), 120);
      expect([await site.phaseOf('web'), site.runningOn(web)]).to.deep.equal(['Running', ['hv1']]);
    });
  });
});
