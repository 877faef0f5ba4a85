// Stories of operations: something done once to many VMs, with a result for each.
import { expect } from 'chai';
import { virtualMachineResource } from '#crds/v1alpha1/kinds.ts';
import { API_VERSION, OPERATION_ANNOTATION, REQUESTER_ANNOTATION } from '#crds/v1alpha1/names.ts';
import type { OperationResult } from '#crds/v1alpha1/operation-status.ts';
import { OPERATOR } from './kinds.ts';
import { closeUnbroken } from './settled.ts';
import { Site } from './site.ts';
import { PATIENCE_MS, play, says, tell } from './story.ts';

const ONE = { hypervisors: { hv1: {} } };
const SLOW = { hypervisors: { hv1: { shutdownMilliseconds: 8_000 } } };
const BIG = { hypervisors: { hv1: { cpus: 32 }, hv2: { cpus: 32 } } };
const TEMPLATE = { spec: { resources: { cpus: 1, memory: '1Gi' }, boot: { kernel: { image: 'vmlinuz' } } } } as never;

const outcomesOf = async (site: Site, name: string): Promise<Record<string, string>> => {
  const { results = [] } = (await site.operation(name)).status ?? {};
  return Object.fromEntries(
    results.map((result: OperationResult) => [result.name, `${result.outcome} ${result.reason}`]),
  );
};
const phaseOf = async (site: Site, name: string) => (await site.operation(name)).status?.phase;

async function create(site: Site, count: number, prefix = 'web'): Promise<void> {
  for (let index = 1; index <= count; index += 1) await site.create(`${prefix}-${index}`);
  await site.clock.advance(10_000);
}

describe('the story of an operation', function () {
  this.timeout(PATIENCE_MS);

  it('that shuts three VMs down, and starts them again', async () => {
    await tell('operation', BIG, async (site) => {
      await says(site, 'adele creates web-1 to web-3', async () => create(site, 3), 0);
      await says(
        site,
        'adele shuts web-{1-3} down',
        async () => site.operate('stop', { type: 'Shutdown', targets: { set: 'web-{1-3}' } }),
        10,
      );
      expect(await outcomesOf(site, 'stop')).to.deep.equal({
        'web-1': 'Succeeded Done',
        'web-2': 'Succeeded Done',
        'web-3': 'Succeeded Done',
      });
      await says(
        site,
        'adele starts web-*',
        async () => site.operate('start', { type: 'Start', targets: { set: 'web-*' } }),
        10,
      );
      expect((await site.operation('start')).status).to.deep.include({
        phase: 'Succeeded',
        done: '3/3',
        succeeded: ['web-{1-3}'],
      });
    });
  });

  it('that creates what is not there, in the name of whoever asked, near where it was suggested', async () => {
    await tell('operation-creates', BIG, async (site) => {
      await site.create('web-2');
      const spec = {
        type: 'Start',
        targets: { set: 'web-{1-3}' },
        template: TEMPLATE,
        hypervisorHints: 'hv2',
      } as const;
      await says(site, 'adele starts web-{1-3}, on hv2 if possible', async () => site.operate('start', spec), 10);
      const { metadata, status } = await site.machine('web-1');
      const { uid } = (await site.operation('start')).metadata;
      expect(metadata.annotations).to.include({ [REQUESTER_ANNOTATION]: 'adele', [OPERATION_ANNOTATION]: uid });
      expect(status?.placement?.hypervisor).to.equal('hv2');
      expect(await phaseOf(site, 'start')).to.equal('Succeeded');
    });
  });

  it('that gets as many as there is room for, and one that gets none because it wants all', async () => {
    await tell('operation-partial', ONE, async (site) => {
      const spec = { type: 'Start', targets: { set: 'web-{1-6}' }, template: TEMPLATE } as const;
      await says(
        site,
        'adele starts all six or none',
        async () => site.operate('all', { ...spec, grant: 'AllOrNothing' }),
        10,
      );
      expect(await site.machines()).to.deep.equal([]);
      expect(await phaseOf(site, 'all')).to.equal('Failed');
      await says(site, 'adele starts as many of the six as she can', async () => site.operate('some', spec), 10);
      expect((await site.operation('some')).status).to.deep.include({
        phase: 'PartiallySucceeded',
        done: '4/6',
        failed: ['web-{5-6}'],
      });
      expect((await outcomesOf(site, 'some'))['web-5']).to.equal('NotGranted TooFewCpus');
    });
  });

  it('that says what is wrong with a set, and with names that are not there', async () => {
    await tell('operation-mistakes', ONE, async (site) => {
      await create(site, 1);
      const stop = async (name: string, set: string) => site.operate(name, { type: 'Shutdown', targets: { set } });
      await says(site, 'adele writes web-{1-10', async () => stop('unclosed', 'web-{1-10'), 1);
      await says(site, 'adele means db-*, of which there is none', async () => stop('none', 'db-*'), 1);
      await says(site, 'adele names web-2 too', async () => stop('half', 'web-{1-2}'), 10);
      await says(site, 'adele names nobody', async () => stop('nobody', '-web-'), 10);
      expect(await outcomesOf(site, 'half')).to.deep.equal({ 'web-1': 'Succeeded Done', 'web-2': 'Failed NotFound' });
      expect(await phaseOf(site, 'half')).to.equal('PartiallySucceeded');
    });
  });

  it('that leaves alone what another manager declares, and names it', async () => {
    await tell('operation-declared-elsewhere', ONE, async (site) => {
      const spec = {
        powerState: 'Running',
        resources: { cpus: 1, memory: '1Gi' },
        boot: { kernel: { image: 'vmlinuz' } },
      };
      const metadata = { name: 'web-1', namespace: 'team' };
      const vm = { apiVersion: API_VERSION, kind: 'VirtualMachine', metadata, spec } as never;
      await says(
        site,
        'flux applies web-1, Running',
        async () => void (await site.user.apply(virtualMachineResource, vm, { fieldManager: 'flux' })),
        10,
      );
      await says(
        site,
        'adele shuts web-1 down',
        async () => site.operate('stop', { type: 'Shutdown', targets: { set: 'web-1' } }),
        10,
      );
      expect(await outcomesOf(site, 'stop')).to.deep.equal({ 'web-1': 'DeclaredElsewhere DeclaredElsewhere' });
      expect(await phaseOf(site, 'stop')).to.equal('Failed');
      expect((await site.machine('web-1')).spec.powerState).to.equal('Running');
    });
  });

  it('that may do it to some, and one that may do it to none', async () => {
    await tell('operation-rights', BIG, async (site) => {
      await create(site, 3);
      site.api.access = ({ verb, name }) => (verb === 'patch' && name === 'web-2' ? undefined : 'no rule for it');
      const stop = async (name: string, set: string) => site.operate(name, { type: 'Shutdown', targets: { set } });
      await says(site, 'adele, who may only patch web-2, shuts web-* down', async () => stop('some', 'web-*'), 10);
      await says(site, 'and then the others', async () => stop('others', 'web-1,web-3'), 10);
      expect(await outcomesOf(site, 'some')).to.deep.equal({
        'web-1': 'Denied Forbidden',
        'web-2': 'Succeeded Done',
        'web-3': 'Denied Forbidden',
      });
      expect(await phaseOf(site, 'others')).to.equal('Denied');
    });
  });

  it('that waits for an older one on the same VM', async () => {
    await tell('operation-waits', SLOW, async (site) => {
      await create(site, 1);
      await says(
        site,
        'adele shuts web-1 down',
        async () => site.operate('stop', { type: 'Shutdown', targets: { set: 'web-1' } }),
        2,
      );
      await says(
        site,
        'and wants it started',
        async () => site.operate('start', { type: 'Start', targets: { set: 'web-1' } }),
        30,
      );
      expect([await phaseOf(site, 'stop'), await phaseOf(site, 'start')]).to.deep.equal(['Succeeded', 'Succeeded']);
      expect(await site.phaseOf('web-1')).to.equal('Running');
    });
  });

  it('that is cancelled at its beginning, in its middle, and after its end', async () => {
    await tell('operation-cancelled', SLOW, async (site) => {
      await create(site, 3);
      const stop = { type: 'Shutdown', targets: { set: 'web-{1-3}' }, parallelism: 1 } as const;
      await says(site, 'adele wants none of it', async () => site.operate('none', { ...stop, cancel: true }), 5);
      await says(site, 'adele shuts them down one by one', async () => site.operate('some', stop), 12);
      await says(site, 'and cancels that', async () => site.editOperation('some', { cancel: true }), 20);
      expect((await site.operation('some')).status).to.deep.include({
        phase: 'Cancelled',
        succeeded: ['web-1'],
        cancelled: ['web-{2-3}'],
      });
      await says(site, 'and again', async () => site.editOperation('some', { cancel: true }), 5);
      expect(await site.phaseOf('web-3')).to.equal('Running');
    });
  });

  it('that is suspended, before and while it goes on, and ends at its deadline, and then goes', async () => {
    await tell('operation-suspended', SLOW, async (site) => {
      await create(site, 3);
      const stop = {
        type: 'Shutdown',
        targets: { set: 'web-{1-3}' },
        parallelism: 1,
        suspend: true,
        deadlineSeconds: 60,
        ttlSecondsAfterFinished: 30,
      } as const;
      await says(site, 'adele prepares it', async () => site.operate('stop', stop), 10);
      await says(site, 'lets it go for a moment', async () => site.editOperation('stop', { suspend: false }), 0);
      await says(site, 'and suspends it', async () => site.editOperation('stop', { suspend: true }), 80);
      expect(await phaseOf(site, 'stop')).to.equal('PartiallySucceeded');
      await says(site, 'half a minute passes', () => undefined, 40);
      expect(await phaseOf(site, 'stop').catch((error: unknown) => String(error))).to.contain('not found');
    });
  });

  it('on VMs of one hypervisor alone', async () => {
    await play(BIG, async (site) => {
      await create(site, 4);
      const there = (await site.machines()).filter(({ status }) => status?.placement?.hypervisor === 'hv1');
      await site.operate('stop', { type: 'Shutdown', targets: { hypervisors: 'hv1' } });
      await site.clock.advance(10_000);
      const stopped = (await site.machines()).filter(({ status }) => status?.phase === 'Stopped');
      expect(stopped.map(({ metadata }) => metadata.name))
        .to.have.members(there.map(({ metadata }) => metadata.name))
        .and.to.have.length(2);
    });
  });
});

describe('an operation on very many VMs', function () {
  this.timeout(180_000);

  it('is counted exactly once, and told no more than once in two seconds, though the operator dies again and again', async () => {
    const machine = { cpus: 600, memoryBytes: 2 ** 40, startMilliseconds: 300 };
    const moments = ['before', 'sent', 'after'] as const;
    const site = await new Site({ hypervisors: { hv1: machine, hv2: machine } }).open();
    const spec = { type: 'Start', targets: { set: 'vm-{1-1000}' }, template: TEMPLATE, parallelism: 100 } as const;
    await site.operate('start', spec);
    for (let death = 0; death < 4; death += 1) {
      site.doom(OPERATOR, { step: 40 + death * 61, moment: moments[death % 3] ?? 'before', forMilliseconds: 700 });
      await site.clock.advance(20_000);
    }
    await site.clock.advance(90_000);
    const { status } = await site.operation('start');
    expect(status).to.deep.include({ phase: 'Succeeded', done: '1000/1000', succeeded: ['vm-{1-1000}'] });
    expect(JSON.stringify(status).length).to.be.below(64_000);
    expect(site.birthsOf(OPERATOR)).to.be.above(2);
    expect((await site.machines()).filter(({ status: { phase } = {} }) => phase === 'Running')).to.have.length(1000);
    await closeUnbroken(site);
  });
});
