// Stories of operations that are carried out on the guest itself: reboot, cycle, and stops by force.
import { expect } from 'chai';
import type { OperationSpec } from '#crds/v1alpha1/operation-spec.ts';
import type { Site } from './site.ts';
import { PATIENCE_MS, play, says, tell } from './story.ts';

const ONE = { hypervisors: { hv1: { cpus: 16, memoryBytes: 64 * 2 ** 30 } } };
const SLOW = { hypervisors: { hv1: { startMilliseconds: 3_000 } } };

const operate = async (site: Site, name: string, type: OperationSpec['type'], set = 'web-1') =>
  site.operate(name, { type, targets: { set } });
const phaseOf = async (site: Site, name: string) => (await site.operation(name)).status?.phase;
const outcomeOf = async (site: Site, name: string) => {
  const [result] = (await site.operation(name)).status?.results ?? [];
  return `${result?.outcome} ${result?.reason}`;
};
const happened = async (site: Site, vm = 'web-1') => {
  const uuid = await site.uuidOf(vm);
  return site.witness.happenings.filter((one) => one.uuid === uuid).map(({ what }) => what);
};

async function create(site: Site, count: number): Promise<void> {
  for (let index = 1; index <= count; index += 1) await site.create(`web-${index}`);
  await site.clock.advance(10_000);
}

describe('the story of an operation on guests themselves', function () {
  this.timeout(PATIENCE_MS);

  it('that reboots ten of them, named by one regular expression, each once, with three writes each', async () => {
    const site = await play(ONE, async (site) => {
      await create(site, 10);
      site.forgetWrites();
      await operate(site, 'reboot', 'Reboot', '/web-[0-9]+/');
      await site.clock.advance(10_000);
      expect((await site.operation('reboot')).status).to.deep.include({ phase: 'Succeeded', done: '10/10' });
      expect(site.machineWrites()).to.have.length(30);
      for (let index = 1; index <= 10; index += 1)
        expect(await happened(site, `web-${index}`)).to.deep.equal(['started', 'rebooted']);
    });
    expect(site.invariants.broken).to.deep.equal([]);
  });

  it('that reboots one, and one that cannot because its guest is off', async () => {
    await tell('operation-reboot', ONE, async (site) => {
      await create(site, 1);
      await says(site, 'adele reboots web-1', async () => operate(site, 'reboot', 'Reboot'), 5);
      await says(site, 'adele shuts it down', async () => operate(site, 'stop', 'Shutdown'), 5);
      await says(site, 'and wants it rebooted', async () => operate(site, 'again', 'Reboot'), 5);
      expect([await outcomeOf(site, 'reboot'), await outcomeOf(site, 'again')]).to.deep.equal([
        'Succeeded Done',
        'Failed NotRunning',
      ]);
    });
  });

  it('that cycles one under its permission, and what was waiting for a restart takes effect', async () => {
    await tell('operation-cycle', SLOW, async (site) => {
      await create(site, 1);
      const resources = { cpus: 2, memory: '2Gi' };
      await says(site, 'adele gives web-1 two CPUs', async () => site.edit('web-1', { resources }), 5);
      await says(site, 'and cycles it', async () => operate(site, 'cycle', 'Cycle'), 20);
      const { status } = await site.machine('web-1');
      expect([status?.phase, status?.placement?.epoch, status?.pendingChanges]).to.deep.equal([
        'Running',
        1,
        undefined,
      ]);
      expect(status?.instance?.resources).to.deep.equal(resources);
      expect(status?.lastTermination).to.equal(undefined);
      expect(await happened(site)).to.deep.equal(['started', 'destroyed', 'started']);
      expect(await phaseOf(site, 'cycle')).to.equal('Succeeded');
    });
  });

  it('whose daemon dies when it has just rebooted it: nobody knows, and it is not done again', async () => {
    await tell('operation-unknown', ONE, async (site) => {
      await create(site, 1);
      site.host('hv1').faults.order({ verb: 'reboot', outcome: 'Hang', takesEffect: true });
      await says(site, 'adele reboots web-1', async () => operate(site, 'reboot', 'Reboot'), 1);
      await says(site, 'the daemon is killed while it waits for the answer', () => site.kill('hv1'), 1);
      await says(site, 'and started again', () => site.start('hv1'), 30);
      expect(await outcomeOf(site, 'reboot')).to.equal('Unknown Unknown');
      expect(await happened(site)).to.deep.equal(['started', 'rebooted']);
    });
  });

  it('whose daemon dies when it has just pulled the plug for a cycle: the guest is started again', async () => {
    await tell('operation-cycle-unknown', ONE, async (site) => {
      await create(site, 1);
      site.host('hv1').faults.order({ verb: 'destroy', outcome: 'Hang', takesEffect: true });
      await says(site, 'adele cycles web-1', async () => operate(site, 'cycle', 'Cycle'), 1);
      await says(site, 'the daemon is killed while it waits for the answer', () => site.kill('hv1'), 1);
      await says(site, 'and started again', () => site.start('hv1'), 30);
      expect(await outcomeOf(site, 'cycle')).to.equal('Unknown Unknown');
      expect([await site.phaseOf('web-1'), (await site.machine('web-1')).status?.placement?.epoch]).to.deep.equal([
        'Running',
        1,
      ]);
    });
  });

  it('that is cancelled before the daemon has begun it: it is not done when the daemon is back', async () => {
    await tell('operation-withdrawn', ONE, async (site) => {
      await create(site, 1);
      site.kill('hv1');
      await says(site, 'adele reboots web-1, whose daemon is away', async () => operate(site, 'reboot', 'Reboot'), 5);
      await says(site, 'and cancels that', async () => site.editOperation('reboot', { cancel: true }), 5);
      await says(site, 'the daemon is back', () => site.start('hv1'), 30);
      expect(await phaseOf(site, 'reboot')).to.equal('Cancelled');
      expect(await happened(site)).to.deep.equal(['started']);
    });
  });

  it('that pulls the plug of one that does not listen, once: the next stop asks politely', async () => {
    await tell('operation-power-off', ONE, async (site) => {
      await create(site, 1);
      site.host('hv1').behave(await site.uuidOf('web-1'), { ignoresShutdown: true });
      await says(site, 'adele pulls the plug of web-1', async () => operate(site, 'off', 'PowerOff'), 5);
      expect([await phaseOf(site, 'off'), await site.phaseOf('web-1')]).to.deep.equal(['Succeeded', 'Stopped']);
      await says(site, 'adele starts it', async () => operate(site, 'on', 'Start'), 5);
      await says(site, 'and shuts it down', async () => operate(site, 'down', 'Shutdown'), 5);
      expect(await site.phaseOf('web-1')).to.equal('Stopping');
      await says(site, 'and loses patience', async () => operate(site, 'off-again', 'PowerOff'), 5);
      expect(await phaseOf(site, 'off-again')).to.equal('Running');
      await says(site, 'and cancels the polite one', async () => site.editOperation('down', { cancel: true }), 5);
      expect([await phaseOf(site, 'off-again'), await site.phaseOf('web-1')]).to.deep.equal(['Succeeded', 'Stopped']);
    });
  });

  it('that hibernates ten of them, and restores them, and boots none that is off', async () => {
    await play(ONE, async (site) => {
      await create(site, 10);
      await operate(site, 'stop', 'Shutdown', 'web-10');
      await site.clock.advance(10_000);
      await operate(site, 'hibernate', 'Hibernate', 'web-*');
      await site.clock.advance(20_000);
      expect((await site.operation('hibernate')).status).to.deep.include({ done: '9/10', failed: ['web-10'] });
      expect(await site.phaseOf('web-9')).to.equal('Hibernated');
      await operate(site, 'restore', 'Restore', 'web-*');
      await site.clock.advance(20_000);
      expect((await site.operation('restore')).status).to.deep.include({ done: '9/10', failed: ['web-10'] });
      expect([await site.phaseOf('web-9'), await site.phaseOf('web-10')]).to.deep.equal(['Running', 'Stopped']);
      expect(await happened(site, 'web-9')).to.deep.equal(['started', 'hibernated', 'restored']);
    });
  });

  it('that pauses ten of them, and resumes them, and neither starts one that is off', async () => {
    await play(ONE, async (site) => {
      await create(site, 10);
      await operate(site, 'stop', 'Shutdown', 'web-10');
      await site.clock.advance(10_000);
      await operate(site, 'pause', 'Pause', '/web-[0-9]+/');
      await site.clock.advance(10_000);
      expect((await site.operation('pause')).status).to.deep.include({ done: '9/10', failed: ['web-10'] });
      expect(await site.phaseOf('web-9')).to.equal('Paused');
      await operate(site, 'resume', 'Resume', 'web-*');
      await site.clock.advance(10_000);
      expect((await site.operation('resume')).status).to.deep.include({ done: '9/10', failed: ['web-10'] });
      expect([await site.phaseOf('web-9'), await site.phaseOf('web-10')]).to.deep.equal(['Running', 'Stopped']);
      expect(await happened(site, 'web-9')).to.deep.equal(['started', 'paused', 'resumed']);
    });
  });

  it('that destroys two: their guests and their objects are gone', async () => {
    await tell('operation-destroy', ONE, async (site) => {
      await create(site, 3);
      site.host('hv1').behave(await site.uuidOf('web-1'), { ignoresShutdown: true });
      await says(
        site,
        'adele destroys web-1 and web-2',
        async () => operate(site, 'destroy', 'Destroy', 'web-{1-2}'),
        10,
      );
      expect((await site.machines()).map(({ metadata }) => metadata.name)).to.deep.equal(['web-3']);
      expect((await site.operation('destroy')).status).to.deep.include({ phase: 'Succeeded', done: '2/2' });
    });
  });

  it('that starts one which had powered itself off, though it is declared Running', async () => {
    await tell('operation-start-ended', ONE, async (site) => {
      await create(site, 1);
      await says(
        site,
        'web-1 powers itself off',
        async () => site.host('hv1').powerOffFromInside(await site.uuidOf('web-1')),
        5,
      );
      expect(await site.phaseOf('web-1')).to.equal('Stopped');
      await says(site, 'adele starts it', async () => operate(site, 'start', 'Start'), 5);
      expect([await phaseOf(site, 'start'), await site.phaseOf('web-1')]).to.deep.equal(['Succeeded', 'Running']);
      await says(
        site,
        'web-1 powers itself off again',
        async () => site.host('hv1').powerOffFromInside(await site.uuidOf('web-1')),
        60,
      );
      expect(await site.phaseOf('web-1')).to.equal('Stopped');
    });
  });
});
