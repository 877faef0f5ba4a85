// CPU time that is shared out on a real libvirt, as the kernel keeps it: in the files of the guest's cgroup, and in what
// guests get that want all there is.
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import type { Limits } from '#crds/resources.ts';
import { inside } from '#hack/hypervisor-host/host.ts';
import { cgroupObstacle } from '#hack/hypervisor-host/host-cgroup.ts';
import type { HypervisorDriver } from '#node-daemon/hypervisor/driver.ts';
import { skip } from '../runner/skip.ts';
import { describeQemu, eventually, type QemuStand } from './libvirt-qemu-stand.ts';

const MEASURE_MS = 4_000;

describeQemu('CPU time on a real libvirt', (stand) => {
  let driver: HypervisorDriver;
  const uuids: string[] = [];

  before(async function () {
    const obstacle = await cgroupObstacle();
    if (obstacle !== undefined) skip(this, obstacle);
    driver = stand().driver();
  });
  afterEach(async () => {
    for (const uuid of uuids.splice(0)) {
      await driver.destroy(uuid);
      await driver.undefine(uuid);
    }
  });
  after(() => driver?.close());

  /** One that wants a whole CPU from its first instruction on: it is emulated. */
  const busy = async (limits?: Limits): Promise<{ uuid: string; name: string }> => {
    const definition = { ...stand().guest('usher.burn=600'), ...(limits === undefined ? {} : { limits }) };
    uuids.push(definition.uuid);
    await driver.define(definition);
    await driver.start(definition.uuid);
    await eventually('its counters', 30, async () => counted(driver, definition.uuid));
    return definition;
  };

  it('is what the cgroup of the guest says, from its start on and after a change while it runs', async () => {
    const { uuid, name } = await busy({ cpuShares: 2048, cpuLimitMillis: 300 });
    expect(await inCgroup(stand(), name)).to.deep.equal({ shares: 2048, period: 100_000, quota: 30_000 });
    await driver.setLimits(uuid, { cpuShares: 512, cpuLimitMillis: 150 });
    expect(await inCgroup(stand(), name)).to.deep.equal({ shares: 512, period: 100_000, quota: 15_000 });
    await driver.setLimits(uuid, { cpuShares: 1024 });
    expect(await inCgroup(stand(), name)).to.deep.equal({ shares: 1024, period: 100_000, quota: -1 });
  });

  it('is no more than the limit for a guest that wants all, while another has what it wants', async () => {
    const [limited, free] = [await busy({ cpuShares: 1024, cpuLimitMillis: 200 }), await busy()];
    const [little, much] = await Promise.all([cpusOf(driver, limited.uuid), cpusOf(driver, free.uuid)]);
    expect(little, 'of 0.2 CPUs').to.be.within(0.02, 0.25);
    expect(much, 'without a limit').to.be.above(little);
  });

  it('is less at once when the limit of a running guest falls', async () => {
    const { uuid } = await busy({ cpuShares: 1024, cpuLimitMillis: 400 });
    await driver.setLimits(uuid, { cpuShares: 1024, cpuLimitMillis: 50 });
    expect(await cpusOf(driver, uuid)).to.be.at.most(0.08);
  });

  it('somebody else changed is read back as it is', async () => {
    const { uuid, name } = await busy({ cpuShares: 1024, cpuLimitMillis: 300 });
    const domain = await inside(
      stand().host,
      'virsh',
      '--quiet',
      'schedinfo',
      name,
      '--set',
      'cpu_shares=333',
      '--live',
    );
    expect(domain).to.match(/cpu_shares\s*: 333/);
    expect(await driver.limits(uuid)).to.deep.equal({ cpuShares: 333, cpuLimitMillis: 300 });
  });
});

async function counted(driver: HypervisorDriver, uuid: string): Promise<bigint | undefined> {
  return (await driver.usage()).domains.get(uuid)?.cpuNanoseconds;
}

/** One that is busy at that moment is left out of a sample, not waited for. */
async function sampled(driver: HypervisorDriver, uuid: string): Promise<{ nanoseconds: bigint; at: number }> {
  const nanoseconds = await eventually('its counters', 30, async () => counted(driver, uuid));
  return { nanoseconds, at: performance.now() };
}

/** How many CPUs it used on average while this looked. */
async function cpusOf(driver: HypervisorDriver, uuid: string): Promise<number> {
  const before = await sampled(driver, uuid);
  await pause(MEASURE_MS);
  const after = await sampled(driver, uuid);
  return Number(after.nanoseconds - before.nanoseconds) / 1e6 / (after.at - before.at);
}

/** As the kernel has it. */
async function inCgroup({ host }: QemuStand, name: string) {
  const files = ['cpu.shares', 'cpu.cfs_period_us', 'cpu.cfs_quota_us'];
  const script = `cd /sys/fs/cgroup/cpu/machine/qemu-*-${name}.libvirt-qemu && cat ${files.join(' ')}`;
  const [shares, period, quota] = (await inside(host, 'bash', '-c', script)).split('\n').map(Number);
  return { shares, period, quota };
}
