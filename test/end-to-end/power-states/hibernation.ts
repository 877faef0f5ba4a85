// Hibernated: its memory lies on the disk of its machine, and it goes on from there.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { killLibvirt, releaseLibvirt } from '#hack/hypervisor-host/faults.ts';
import { virsh } from '#hack/hypervisor-host/host.ts';
import type { SiteUnderTest } from '../../site/describe-site.ts';
import { bootsOf, domainOf, domainsOn, hostOf, libvirtStateOf, untilSaid } from '../../site/guests.ts';
import { guest, on } from '../../site/manifest.ts';
import { readyOf } from '../../site/user.ts';
import { COUNTS, Counting } from './counting.ts';

const SLEEPER = 'sleeper';

export function describeHibernation(under: () => SiteUnderTest): void {
  const host = () => hostOf(under().site, 'hv1');
  const counting = new Counting(under, SLEEPER);
  const images = async () => readdir(join(host().directory, 'lib', 'qemu', 'save')).catch(() => []);
  const becomes = async (powerState: 'Running' | 'Paused' | 'Hibernated' | 'Stopped') => {
    await under().user.change(SLEEPER, { powerState });
    return under().user.sees(SLEEPER, powerState, 90);
  };

  describe('that are hibernated', () => {
    it('Hibernated keeps the memory of a guest on disk, and it holds neither CPUs nor memory', async () => {
      const { user } = under();
      await user.apply(guest(SLEEPER, on('hv1'), COUNTS));
      await user.sees(SLEEPER, 'Running');
      await untilSaid(host(), SLEEPER, /^count 3/);
      const vm = await becomes('Hibernated');
      expect(readyOf(vm)).to.include({
        status: 'True',
        message: 'Hibernated, as declared: hv1 keeps its memory on disk; it holds no CPUs and no memory there.',
      });
      expect(vm.status?.addresses).to.equal(undefined);
      expect(await libvirtStateOf(host(), SLEEPER)).to.equal('shut off');
      expect(await images()).to.deep.equal([`${domainOf(SLEEPER)}.save`]);
    }).timeout(180_000);

    it('what is kept outlives daemon, operator and libvirtd, and what is changed meanwhile is pending', async () => {
      const { user, site } = under();
      await site.programs.kill('node-daemon-hv1');
      await site.programs.kill('operator');
      await killLibvirt(host(), 'stays away');
      await releaseLibvirt(host());
      await site.startOperator();
      await site.startNodeDaemon('hv1');
      await user.change(SLEEPER, { resources: { memory: '192Mi' } });
      const vm = await user.sees(SLEEPER, 'Hibernated RestartRequired', 90);
      expect(vm.status?.pendingChanges).to.deep.equal([
        { field: 'spec.resources.memory', current: '128Mi', desired: '192Mi' },
      ]);
    }).timeout(180_000);

    it('Running lets it go on with the same count, and leaves no image behind', async () => {
      const { user } = under();
      await user.change(SLEEPER, { powerState: 'Running' });
      const vm = await user.sees(SLEEPER, 'Running RestartRequired', 90);
      expect(vm.status?.placement?.epoch).to.equal(1);
      expect(vm.status?.instance?.resources).to.deep.equal({ cpus: 1, memory: '128Mi' });
      await counting.goesOn();
      await counting.isOneCount();
      expect([await bootsOf(host(), SLEEPER), await images()]).to.deep.equal([1, []]);
      await user.change(SLEEPER, { resources: { memory: '128Mi' } });
      await user.sees(SLEEPER, 'Running');
    }).timeout(180_000);

    it('from Paused to Hibernated to Paused and on: the same count', async () => {
      await becomes('Paused');
      await becomes('Hibernated');
      await becomes('Paused');
      await counting.standsStill();
      await becomes('Running');
      await counting.goesOn();
      await counting.isOneCount();
      expect(await bootsOf(host(), SLEEPER)).to.equal(1);
    }).timeout(240_000);

    it('what somebody removes on the machine is missed: the guest is not booted anew in its place', async () => {
      const { user } = under();
      await becomes('Hibernated');
      await virsh(host(), 'managedsave-remove', domainOf(SLEEPER));
      await user.change(SLEEPER, { powerState: 'Running' });
      const vm = await user.sees(SLEEPER, 'Missing', 90);
      expect(vm.status?.lastTermination).to.include({ reason: 'SavedImageGone', initiator: 'Host' });
      expect(await libvirtStateOf(host(), SLEEPER)).to.equal('shut off');
      await becomes('Stopped');
      await becomes('Running');
      await untilSaid(host(), SLEEPER, /^up after/, { times: 2 });
    }).timeout(240_000);

    it('Stopped gives it up: what is kept is removed, and Running boots it under a new permission', async () => {
      const before = under().user.latest(SLEEPER).status?.placement?.epoch ?? 0;
      await becomes('Hibernated');
      const vm = await becomes('Stopped');
      expect(readyOf(vm).status).to.equal('True');
      expect(await images()).to.deep.equal([]);
      expect((await becomes('Running')).status?.placement?.epoch).to.equal(before + 1);
      await untilSaid(host(), SLEEPER, /^up after/, { times: 3 });
    }).timeout(240_000);

    it('kubectl delete of a hibernated guest leaves nothing of it on the machine', async () => {
      const { user } = under();
      await becomes('Hibernated');
      await user.remove(SLEEPER);
      await user.untilGone(SLEEPER);
      expect([await domainsOn(host()), await images()]).to.deep.equal([[], []]);
    }).timeout(120_000);
  });
}
