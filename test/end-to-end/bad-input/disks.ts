import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { virsh } from '#hack/hypervisor-host/host.ts';
import type { SiteUnderTest } from '../../site/describe-site.ts';
import { hostOf, libvirtStateOf } from '../../site/guests.ts';
import { guest, type SpecInput } from '../../site/manifest.ts';
import { conditionOf, readyOf } from '../../site/user.ts';
import { makeRoom } from '../real-guests/room.ts';

const FIRST = 'first';
const SECOND = 'second';
const DISK = { name: 'root', pool: 'disks', volume: 'shared.qcow2', format: 'qcow2' } as const;

function withDisk(name: string, disk: Partial<typeof DISK> | object = {}) {
  const spec: SpecInput = { disks: [{ ...DISK, ...disk }], powerOff: { mode: 'Force' } };
  return guest(name, spec);
}

export function describeDisks(under: () => SiteUnderTest): void {
  const hv1 = () => hostOf(under().site, 'hv1');

  describe('disks', () => {
    before('a pool, and room for two guests', async function () {
      this.timeout(60_000);
      await makeRoom(under().user, 'hv1');
      const pool = join(hv1().directory, 'pool');
      await virsh(hv1(), 'pool-create-as', 'disks', 'dir', '--target', pool, '--build');
      await virsh(hv1(), 'vol-create-as', 'disks', DISK.volume, '16M', '--format', 'qcow2');
    });

    it('one that is not there is named by condition and event with its field, and the VM runs once it is', async () => {
      const { user } = under();
      await user.apply(withDisk(FIRST, { volume: 'gone.qcow2' }));
      const vm = await user.sees(FIRST, 'Starting StartFailed');
      const words = "disks[].volume: the storage pool 'disks' has no volume 'gone.qcow2' here; put it there";
      expect(readyOf(vm).message).to.include(`hv1 could not start the guest: ${words}`);
      expect((await user.warnings(FIRST)).join()).to.include(words);
      await user.change(FIRST, { disks: [DISK] });
      await user.sees(FIRST, 'Running');
    }).timeout(120_000);

    it('one that another VM has is told with that VM before any start, and the VM runs once it is free', async () => {
      const { user } = under();
      await user.apply(withDisk(SECOND));
      const vm = await user.sees(SECOND, 'Scheduling DiskInUse');
      expect(conditionOf(vm, 'Placed').message).to.equal(
        'None of 1 hypervisor can take it: 1 where disk root (volume shared.qcow2 of pool disks) is in use by default/first.',
      );
      expect((await user.warnings(SECOND)).join()).to.include('DiskInUse: None of 1 hypervisor can take it');
      expect(vm.status?.placement).to.equal(undefined);
      await user.change(FIRST, { powerState: 'Stopped' });
      await user.sees(SECOND, 'Running', 60);
      expect(await libvirtStateOf(hv1(), FIRST)).to.equal('shut off');
      await user.remove(FIRST, SECOND);
      await Promise.all([FIRST, SECOND].map(async (name) => user.untilGone(name)));
    }).timeout(180_000);

    it('one that a guest has of which Usher knows nothing is kept by its lock, and the guest is named', async () => {
      const { user } = under();
      const file = join(hv1().directory, 'foreign.xml');
      await writeFile(file, foreignXml(join(hv1().directory, 'pool', DISK.volume)));
      await virsh(hv1(), 'create', file);
      await user.apply(withDisk(FIRST));
      const vm = await user.sees(FIRST, 'Starting StartFailed');
      expect(readyOf(vm).message).to.include(
        "hv1 could not start the guest: disks[].volume: the volume 'shared.qcow2' in pool 'disks' is in use by the " +
          "domain 'foreign', which Usher did not make; stop that guest, or give this VM a volume of its own.",
      );
      await virsh(hv1(), 'destroy', 'foreign');
      await user.sees(FIRST, 'Running', 90);
    }).timeout(180_000);
  });
}

function foreignXml(path: string): string {
  return `<domain type='qemu'>
  <name>foreign</name>
  <memory unit='MiB'>32</memory>
  <os><type>hvm</type></os>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/><source file='${path}'/><target dev='vda' bus='virtio'/>
    </disk>
  </devices>
</domain>`;
}
