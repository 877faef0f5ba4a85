// What people get wrong: a manifest that cannot work, an object taken away by force, a machine forgotten.
import { expect } from 'chai';
import { virsh } from '#hack/hypervisor-host/host.ts';
import type { SiteUnderTest } from '../../site/describe-site.ts';
import { bootsOf, domainOf, domainsOn, hostOf, libvirtStateOf } from '../../site/guests.ts';
import { guest, on } from '../../site/manifest.ts';
import { conditionOf, readyOf } from '../../site/user.ts';
import { STEADY } from './names.ts';
import { makeRoom } from './room.ts';

const MISTAKEN = 'mistaken';
const TAKEN = 'taken';

export function describeMistakes(under: () => SiteUnderTest): void {
  const hv1 = () => hostOf(under().site, 'hv1');
  const unmanagedOn = async (machine: string, holds: (told: string) => boolean) =>
    under().user.hypervisors.until(machine, {
      what: 'its unmanaged guests',
      holds: ({ status }) => holds(JSON.stringify(status?.unmanaged)),
      told: ({ status }) => JSON.stringify(status?.unmanaged),
    });

  describe('that suffer from mistakes', () => {
    before('what no call-back tells is found soon', async () => {
      await under().user.changeHypervisor('hv1', { scanIntervalSeconds: 5 });
    });

    it('a kernel that is not there is named, and the guest starts once the manifest is mended', async () => {
      const { user } = under();
      // With another machine to go to it would be tried there after a while.
      await user.changeHypervisor('hv2', { unschedulable: true });
      await user.seesHypervisor('hv2', 'Schedulable', 'False');
      const made = guest(MISTAKEN, { ...on('hv1'), powerOff: { mode: 'Force' } });
      const boot = { kernel: { ...made.spec.boot?.kernel, image: 'no-such-kernel' } };
      await user.apply({ ...made, spec: { ...made.spec, boot } });
      const vm = await user.sees(MISTAKEN, 'Starting InvalidOnHypervisor');
      expect(readyOf(vm).message).to.match(
        /^hv1 could not start the guest: boot\.kernel\.image: no file 'no-such-kernel' in the boot directory/,
      );
      expect(readyOf(vm).message).to.match(
        / It is tried again, with growing pauses\. Until it is stopped or deleted it holds 1 CPU and .* of memory on hv1\.$/,
      );
      expect((await user.warnings(MISTAKEN)).join()).to.contain("no file 'no-such-kernel'");
      await user.apply(made);
      expect((await user.sees(MISTAKEN, 'Running')).status?.placement?.epoch).to.equal(1);
      await user.changeHypervisor('hv2', { unschedulable: false });
      await user.seesHypervisor('hv2', 'Schedulable', 'True');
    }).timeout(120_000);

    it('a cordoned machine keeps its guests and takes no other', async () => {
      const { user } = under();
      await user.changeHypervisor('hv1', { unschedulable: true });
      await user.seesHypervisor('hv1', 'Schedulable', 'False');
      await user.change(MISTAKEN, { powerState: 'Stopped' });
      await user.sees(MISTAKEN, 'Stopped');
      await user.change(MISTAKEN, { powerState: 'Running' });
      const vm = await user.sees(MISTAKEN, 'Running');
      expect(vm.status?.placement).to.include({ hypervisor: 'hv2', epoch: 2 });
      await user.changeHypervisor('hv1', { unschedulable: false });
      await user.seesHypervisor('hv1', 'Schedulable', 'True');
      expect(await domainsOn(hostOf(under().site, 'hv2'))).to.include(domainOf(MISTAKEN));
    }).timeout(120_000);

    it('an object taken away by force leaves its guest running, and the machine tells of it', async () => {
      const { user } = under();
      const made = guest(TAKEN, { ...on('hv1'), powerOff: { mode: 'Force' } });
      await user.apply(made);
      await user.sees(TAKEN, 'Running');
      await user.kubectl('patch', 'uvm', TAKEN, '--type', 'merge', '-p', '{"metadata":{"finalizers":null}}');
      await user.remove(TAKEN);
      const orphan = new RegExp(`"name":"${domainOf(TAKEN)}","powerState":"Running","reason":"Orphaned"`);
      await unmanagedOn('hv1', (told) => orphan.test(told));
      await user.apply(made);
      const again = await user.sees(TAKEN, 'Running');
      expect(again.status?.placement?.hypervisor).to.equal('hv2'); // the name is taken on hv1
      expect((await user.warnings(TAKEN)).join()).to.match(
        /NameTaken: hv1 could not start the guest: name: .* belongs to the domain \S+ here\.$/,
      );
      expect(await libvirtStateOf(hv1(), TAKEN)).to.equal('running');
      await virsh(hv1(), 'destroy', domainOf(TAKEN));
      await virsh(hv1(), 'undefine', domainOf(TAKEN));
      await unmanagedOn('hv1', (told) => !told.includes(domainOf(TAKEN)));
    }).timeout(180_000);

    it('a Hypervisor deleted by mistake comes back, and its guests have not noticed', async () => {
      const { user, site } = under();
      const before = user.hypervisors.latest('hv2')?.metadata.uid;
      await user.kubectl('delete', 'uhv', 'hv2');
      await user.hypervisors.until('hv2', {
        what: 'it is back',
        holds: ({ metadata }) => metadata.uid !== before,
        told: ({ metadata }) => metadata.uid,
      });
      await user.seesHypervisor('hv2', 'Ready', 'True');
      await user.seesHypervisor('hv2', 'Schedulable', 'True');
      const vm = await user.sees(STEADY, 'Running');
      expect(conditionOf(vm, 'HypervisorReachable').status).to.equal('True');
      expect(vm.status?.placement?.epoch).to.equal(1);
      expect(await bootsOf(hostOf(site, 'hv2'), STEADY)).to.equal(1);
      await makeRoom(user, 'hv2');
    }).timeout(120_000);
  });
}
