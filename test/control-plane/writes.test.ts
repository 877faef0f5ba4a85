// How often the operator and the daemons write, counted from the audit log: the API server is shared by everybody.
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import type { Asked } from '../site/audit-log.ts';
import { describeSite } from '../site/describe-site.ts';
import { guest } from '../site/manifest.ts';
import { conditionOf, readyOf, stateOf } from '../site/user.ts';
import { countWrites } from '../site/write-count.ts';

const REST_MS = 40_000;
const QUIET_MS = 3_000;
const QUIET_WITHIN_MS = 60_000;
const MACHINES = ['hv1', 'hv2'];

/** Of the simulated machines, 64 CPUs each: six of these fit on each. */
const LARGE = { resources: { cpus: 10, memory: '1Gi' } } as const;
const FIT = 12;
const NAMES = Array.from({ length: 20 }, (_, index) => `large-${index + 1}`);

describeSite(
  'writes to the API server',
  { hypervisor: 'simulated', machineNames: MACHINES, heartbeatSeconds: 2 },
  (under) => {
    const counting = async () => countWrites(under());

    it('from its creation until it runs a VM costs two patches of its status', async () => {
      const { user } = under();
      const count = await counting();
      await user.apply(guest('one'));
      await user.sees('one', 'Running');
      const writes = of('one', await count());
      expect(texts(writes)).to.have.length.within(2, 3);
      expect(writes.map(({ verb, resource, code }) => `${verb} ${resource} ${code}`).slice(0, 2)).to.deep.equal([
        'patch virtualmachines/status 200',
        'patch virtualmachines/status 200',
      ]);
    }).timeout(60_000);

    it('a whole life costs at most five writes, and no Event', async () => {
      const { user } = under();
      const count = await counting();
      await user.apply(guest('brief'));
      await user.sees('brief', 'Running');
      await user.remove('brief');
      await user.untilGone('brief');
      const writes = await count();
      expect(texts(of('brief', writes))).to.have.length.at.most(5);
      expect(texts(writes.filter(({ resource }) => resource === 'events'))).to.deep.equal([]);
    }).timeout(60_000);

    it('Stopped and Running again cost two each', async () => {
      const { user } = under();
      const count = await counting();
      await user.change('one', { powerState: 'Stopped' });
      await user.sees('one', 'Stopped');
      expect(texts(of('one', await count()))).to.have.length.within(2, 3);
      await user.change('one', { powerState: 'Running' });
      await user.sees('one', 'Running');
      expect(texts(of('one', await count()))).to.have.length.within(4, 6);
    }).timeout(60_000);

    it('of twenty at once as many run as fit, and the others say what is missing', async () => {
      const { user } = under();
      await user.remove('one');
      await user.untilGone('one');
      const count = await counting();
      await user.apply(...NAMES.map((name) => guest(name, LARGE)));
      for (const name of NAMES) {
        await user.seesThat(name, 'it runs or waits', (vm) =>
          ['Running Running', 'Scheduling TooFewCpus'].includes(stateOf(vm)),
        );
      }
      const waiting = NAMES.filter((name) => user.latest(name).status?.phase === 'Scheduling');
      expect(NAMES.length - waiting.length).to.equal(FIT);
      for (const name of waiting) {
        const { status, message } = readyOf(user.latest(name));
        expect(status).to.equal('False');
        expect(message).to.match(
          /^None of 2 hypervisors can take it: 2 with too few free CPUs \(10 needed\)\. The most/,
        );
      }
      for (const machine of MACHINES) {
        const there = NAMES.map((name) => user.latest(name)).filter(
          ({ status }) => status?.phase === 'Running' && status.placement?.hypervisor === machine,
        );
        const given = there.reduce((sum, { status }) => sum + (status?.granted?.resources.cpus ?? 0), 0);
        expect(given).to.be.at.most(user.hypervisors.latest(machine)?.status?.allocatable?.cpus ?? 0);
      }
      const writes = (await count()).filter(({ resource }) => resource === 'virtualmachines/status');
      expect(texts(writes)).to.have.length.at.most(FIT * 2 + waiting.length + 3);
    }).timeout(120_000);

    it('at rest nothing is written but Leases and usage', async () => {
      await untilQuiet(counting);
      const count = await counting();
      await delay(REST_MS);
      expect(texts(await count())).to.deep.equal([]);
    }).timeout(REST_MS + 90_000);

    it('where room appears, those that waited are placed', async () => {
      const { user } = under();
      const waiting = NAMES.filter((name) => user.latest(name).status?.phase === 'Scheduling');
      const running = NAMES.filter((name) => !waiting.includes(name));
      const [leaving = ''] = running;
      await user.remove(leaving);
      await user.untilGone(leaving);
      const isUp = (name: string) => user.latest(name).status?.phase === 'Running';
      while (!waiting.some(isUp)) await delay(50);
      expect(waiting.filter(isUp)).to.have.lengthOf(1);
      await user.changeHypervisor('hv1', { overcommit: { cpuPercent: 400 } });
      for (const name of waiting) await user.sees(name, 'Running');
      expect(waiting.map((name) => conditionOf(user.latest(name), 'Placed').status)).to.not.include('False');
    }).timeout(90_000);
  },
);

/** What machines tell of their guests settles a moment after the guests have. */
async function untilQuiet(counting: () => Promise<() => Promise<Asked[]>>): Promise<void> {
  const deadline = performance.now() + QUIET_WITHIN_MS;
  for (;;) {
    const count = await counting();
    await delay(QUIET_MS);
    const writes = await count();
    if (writes.length === 0) return;
    if (performance.now() > deadline) throw new Error(`it never rests: ${texts(writes).join('\n')}`);
  }
}

function of(name: string, requests: readonly Asked[]): Asked[] {
  return requests.filter((asked) => asked.name === name);
}

function texts(requests: readonly Asked[]): string[] {
  return requests.map(({ text }) => text);
}
