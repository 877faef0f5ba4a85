// What a user changes: a spec that needs a restart, the power state, and the end.
import { expect } from 'chai';
import { virsh } from '#hack/hypervisor-host/host.ts';
import type { SiteUnderTest } from '../../site/describe-site.ts';
import { bootsOf, domainOf, domainsOn, hostOf, saidBy, untilSaid } from '../../site/guests.ts';
import { guest, on } from '../../site/manifest.ts';
import { conditionOf, readyOf } from '../../site/user.ts';

const CHANGED = 'changed';
const DEAF = 'deaf';
const WAITING = 'Waiting for hv1 to stop and remove the guest, whose plug is pulled 3 s after it was asked.';

export function describeChanges(under: () => SiteUnderTest): void {
  const host = () => hostOf(under().site, 'hv1');
  const memoryAtBoot = async (times: number) => {
    const line = await untilSaid(host(), CHANGED, /^up after/, { times });
    return Number(/(\d+) kB of memory/.exec(line)?.[1]);
  };

  describe('that are changed', () => {
    it('an edit that needs a restart says so, and the guest runs on as it is', async () => {
      const { user } = under();
      await user.apply(guest(CHANGED, on('hv1')));
      await user.sees(CHANGED, 'Running');
      await untilSaid(host(), CHANGED, /^ready/);
      await user.change(CHANGED, { resources: { memory: '192Mi' } });
      const vm = await user.sees(CHANGED, 'Running RestartRequired');
      expect(readyOf(vm)).to.include({
        status: 'False',
        message:
          'Changed, but not in effect before a restart: spec.resources.memory. To apply: set spec.powerState to Stopped and, once it is Stopped, back to Running.',
      });
      expect(conditionOf(vm, 'RestartRequired').status).to.equal('True');
      expect(vm.status?.pendingChanges).to.deep.equal([
        { field: 'spec.resources.memory', current: '128Mi', desired: '192Mi' },
      ]);
      expect(vm.status?.instance?.resources).to.deep.equal({ cpus: 1, memory: '128Mi' });
      expect(await user.describe(CHANGED)).to.match(/Pending Changes:\s+Current:\s+128Mi\s+Desired:\s+192Mi/);
      expect(await bootsOf(host(), CHANGED)).to.equal(1);
    }).timeout(180_000);

    it('Stopped presses its power button', async () => {
      const { user } = under();
      await user.change(CHANGED, { powerState: 'Stopped' });
      const vm = await user.sees(CHANGED, 'Stopped', 90);
      expect(readyOf(vm)).to.include({ status: 'True', message: 'Stopped, as declared.' });
      expect(vm.status?.lastTermination).to.include({
        reason: 'StoppedByRequest',
        initiator: 'User',
        message: 'The guest shut down as asked.',
      });
      expect(await saidBy(host(), CHANGED)).to.include('power button pressed, shutting down');
    }).timeout(120_000);

    it('Running again starts it as it is declared now, under a new permission', async () => {
      const { user } = under();
      const before = await memoryAtBoot(1);
      await user.change(CHANGED, { powerState: 'Running' });
      const vm = await user.sees(CHANGED, 'Running');
      expect(vm.status?.placement?.epoch).to.equal(2);
      expect(vm.status?.pendingChanges).to.equal(undefined);
      expect(vm.status?.conditions?.map(({ type }) => type)).to.not.include('RestartRequired');
      expect(vm.status?.instance?.resources).to.deep.equal({ cpus: 1, memory: '192Mi' });
      expect(await memoryAtBoot(2)).to.be.above(before + 50_000);
    }).timeout(180_000);

    it('kubectl delete shuts it down and leaves nothing of it on the machine', async () => {
      const { user } = under();
      await untilSaid(host(), CHANGED, /^ready/, { times: 2 });
      await user.remove(CHANGED);
      await user.untilGone(CHANGED, 90);
      const pressed = (await saidBy(host(), CHANGED)).filter((line) => line.startsWith('power button pressed'));
      expect(pressed).to.have.lengthOf(2);
      expect(await domainsOn(host())).to.not.include(domainOf(CHANGED));
      expect(await user.warnings(CHANGED)).to.deep.equal([]);
    }).timeout(180_000);

    it('kubectl delete switches off one that does not listen, when its grace period is over', async () => {
      const { user } = under();
      const powerOff = { gracePeriodSeconds: 3 };
      await user.apply(guest(DEAF, { ...on('hv1'), powerOff }, 'usher.deaf=1'));
      await user.sees(DEAF, 'Running');
      const asked = performance.now();
      await user.remove(DEAF);
      const vm = await user.sees(DEAF, 'Terminating');
      expect(readyOf(vm).message).to.equal(WAITING);
      expect(await user.describe(DEAF)).to.contain(WAITING);
      await user.untilGone(DEAF);
      expect(performance.now() - asked).to.be.at.least(3_000);
      expect(await virsh(host(), 'list', '--all', '--name')).to.not.contain(domainOf(DEAF));
    }).timeout(120_000);
  });
}
