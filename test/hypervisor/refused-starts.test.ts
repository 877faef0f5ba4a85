// What a hypervisor lacks for a guest, and who else has its disk: said in words that name the field and what to do.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect } from 'chai';
import { virsh } from '#hack/hypervisor-host/host.ts';
import type { DiskDefinition, DomainDefinition, HypervisorDriver } from '#node-daemon/hypervisor/driver.ts';
import { describeQemu } from './libvirt-qemu-stand.ts';

const ROOT: DiskDefinition = { name: 'root', pool: 'disks', volume: 'root.qcow2', format: 'qcow2', readOnly: false };
const DATA: DiskDefinition = { name: 'data', pool: 'disks', volume: 'data.raw', format: 'raw', readOnly: false };

describeQemu('a start that the hypervisor refuses', (stand) => {
  let driver: HypervisorDriver;
  let poolDirectory: string;
  const running: string[] = [];

  before(async () => {
    driver = stand().driver();
    const { host } = stand();
    poolDirectory = join(host.directory, 'pool');
    await virsh(host, 'pool-create-as', 'disks', 'dir', '--target', poolDirectory, '--build');
    await virsh(host, 'pool-define-as', 'asleep', 'dir', '--target', join(host.directory, 'none'));
    await virsh(host, 'vol-create-as', 'disks', ROOT.volume, '16M', '--format', 'qcow2');
    await virsh(host, 'vol-create-as', 'disks', DATA.volume, '16M', '--format', 'raw');
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map(async (uuid) => driver.destroy(uuid)));
  });
  after(async () => driver.close());

  const guestWith = (disks: readonly DiskDefinition[], changes: Partial<DomainDefinition> = {}) => ({
    ...stand().guest(),
    disks,
    ...changes,
  });

  async function started(definition: DomainDefinition): Promise<DomainDefinition> {
    await driver.define(definition);
    await driver.start(definition.uuid);
    running.push(definition.uuid);
    return definition;
  }

  async function refused(definition: DomainDefinition): Promise<string> {
    await driver.define(definition);
    const refusal = await driver.start(definition.uuid).then(
      () => new Error('it was started'),
      (error: Error) => error,
    );
    await driver.undefine(definition.uuid);
    return refusal.message;
  }

  const lacking: [string, Partial<DiskDefinition>, string][] = [
    [
      'names the pool that is not there',
      { pool: 'nowhere' },
      "disks[].pool: there is no storage pool 'nowhere' here; define and start it (virsh pool-define-as), or correct the name",
    ],
    [
      'names the pool that is not active',
      { pool: 'asleep' },
      "disks[].pool: the storage pool 'asleep' is not active here; start it (virsh pool-start asleep)",
    ],
    [
      'names the volume that is not there',
      { volume: 'gone.qcow2' },
      "disks[].volume: the storage pool 'disks' has no volume 'gone.qcow2' here; put it there (after copying a file, virsh pool-refresh disks), or correct the name",
    ],
    [
      'names the volume that has another format',
      { volume: DATA.volume },
      "disks[].format: the volume 'data.raw' in pool 'disks' is not in qcow2 format; say what it is (qemu-img info tells)",
    ],
  ];
  for (const [title, changes, words] of lacking) {
    it(title, async () => {
      expect(await refused(guestWith([{ ...ROOT, ...changes }]))).to.equal(words);
    });
  }

  it('names the network that is not there, or not active', async () => {
    const onNetwork = (network: string) =>
      guestWith([], { interfaces: [{ name: 'eth0', network, macAddress: '52:54:00:00:00:01' }] });
    expect(await refused(onNetwork('nowhere'))).to.equal(
      "interfaces[].network: there is no network 'nowhere' here; define it (virsh net-define), or correct the name",
    );
    await virsh(stand().host, 'net-destroy', 'default');
    expect(await refused(onNetwork('default'))).to.equal(
      "interfaces[].network: the network 'default' is not active here; start it (virsh net-start default)",
    );
    await virsh(stand().host, 'net-start', 'default');
  });

  it('names the disk that another VM uses, and that VM', async () => {
    const first = await started(guestWith([ROOT, DATA]));
    const inUse = (volume: string) =>
      `disks[].volume: the volume '${volume}' in pool 'disks' is in use by the VirtualMachine ` +
      `qemu/${first.metadata.name}; stop that guest, or give this VM a volume of its own`;
    expect(await refused(guestWith([ROOT]))).to.equal(inUse(ROOT.volume));
    expect(await refused(guestWith([DATA]))).to.equal(inUse(DATA.volume));
    expect(await refused(guestWith([{ ...DATA, readOnly: true }]))).to.equal(inUse(DATA.volume));
  });

  it('says the same at every try, so that it is told once', async () => {
    await started(guestWith([DATA]));
    const second = guestWith([DATA]);
    expect(await refused(second)).to.equal(await refused(second));
  });

  it('does not come to VMs that all read the same disk, but to one that would write to it', async () => {
    const reader = { ...DATA, readOnly: true };
    await started(guestWith([reader]));
    await started(guestWith([reader]));
    expect(await refused(guestWith([DATA]))).to.match(
      /^disks\[\]\.volume: the volume 'data\.raw' in pool 'disks' is in/,
    );
  });

  it('names the disk where its user is no guest of this hypervisor', async () => {
    const words = /^disks\[\]\.volume: the volume 'data\.raw' in pool 'disks' is in use, though by no guest on this/;
    await whileLocked(join(poolDirectory, DATA.volume), async () => {
      expect(await refused(guestWith([DATA]))).to.match(words);
    });
    await started(guestWith([DATA]));
  });
});

/** As the lock manager of another machine locks it, on storage that both have. */
async function whileLocked(file: string, look: () => Promise<void>): Promise<void> {
  const program = `use Fcntl; open(F, "+<", $ARGV[0]) or die; my $lock = pack("s s x4 q q i x4", F_WRLCK, 0, 0, 1, 0);
    fcntl(F, F_SETLK, $lock) or die; print "locked\\n"; close(STDOUT); sleep(60)`;
  const holder = spawn('perl', ['-e', program, file], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const [said] = await Promise.race([once(holder.stdout, 'data'), once(holder, 'exit')]);
    expect(String(said)).to.equal('locked\n');
    await look();
  } finally {
    holder.kill('SIGKILL');
  }
}
