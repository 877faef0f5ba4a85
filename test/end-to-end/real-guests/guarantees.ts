// CPU time that is limited and reserved while a guest runs, as the kernel of its machine keeps it.
import { expect } from 'chai';
import { inside, virsh } from '#hack/hypervisor-host/host.ts';
import { cgroupObstacle } from '#hack/hypervisor-host/host-cgroup.ts';
import { skip } from '../../runner/skip.ts';
import type { SiteUnderTest } from '../../site/describe-site.ts';
import { domainOf, hostOf } from '../../site/guests.ts';
import { guest, on } from '../../site/manifest.ts';
import { readyOf } from '../../site/user.ts';

const LIMITED = 'limited';

export function describeGuarantees(under: () => SiteUnderTest): void {
  const host = () => hostOf(under().site, 'hv1');
  const inCgroup = async (file: string) =>
    inside(host(), 'bash', '-c', `cat /sys/fs/cgroup/cpu/machine/qemu-*-${domainOf(LIMITED)}.libvirt-qemu/${file}`);

  describe('with guarantees', () => {
    before(async function () {
      const obstacle = await cgroupObstacle();
      if (obstacle !== undefined) skip(this, obstacle);
    });

    it('a limit and a reservation are in force from the start, and change while the guest runs', async () => {
      const { user } = under();
      const resources = { cpus: 1, memory: '128Mi', cpuLimit: '500m', cpuReservation: '250m' };
      await user.apply(guest(LIMITED, { ...on('hv1'), powerOff: { mode: 'Force' }, resources }));
      await user.sees(LIMITED, 'Running');
      expect([await inCgroup('cpu.cfs_quota_us'), await inCgroup('cpu.shares')]).to.deep.equal(['50000', '2560']);
      const run = await virsh(host(), 'domid', domainOf(LIMITED));
      await user.change(LIMITED, { resources: { cpuLimit: '200m', cpuReservation: '100m' } });
      const vm = await user.seesThat(
        LIMITED,
        'it has another limit',
        ({ status }) => status?.instance?.resources?.cpuLimit === '200m' && status.phase === 'Running',
      );
      expect([await inCgroup('cpu.cfs_quota_us'), await inCgroup('cpu.shares')]).to.deep.equal(['20000', '1024']);
      expect([readyOf(vm).status, vm.status?.pendingChanges]).to.deep.equal(['True', undefined]);
      expect(vm.status?.granted?.resources).to.include({ cpuLimit: '200m', cpuReservation: '100m' });
      expect(await virsh(host(), 'domid', domainOf(LIMITED)), 'the same run').to.equal(run);
      await user.remove(LIMITED);
      await user.untilGone(LIMITED);
    }).timeout(180_000);
  });
}
