// What only a real guest can show: that it boots, what it says, how it ends, and what libvirt knows of it.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { inspect, promisify } from 'node:util';
import { expect } from 'chai';
import {
  forgetUnfinishedStarts,
  killLibvirt,
  leaveStartUnfinished,
  releaseLibvirt,
  signalGuest,
  signalLibvirt,
} from '#hack/hypervisor-host/faults.ts';
import { inside, virsh } from '#hack/hypervisor-host/host.ts';
import type { Domain, DomainDefinition, DriverEvent, HypervisorDriver } from '#node-daemon/hypervisor/driver.ts';
import { isDriverError } from '#node-daemon/hypervisor/errors.ts';
import { BOOT_SECONDS, describeQemu, eventually, type QemuStand } from './libvirt-qemu-stand.ts';

const run = promisify(execFile);

describeQemu('a real guest', (stand) => {
  let driver: HypervisorDriver;
  let events: DriverEvent[];
  let watching: AbortController;

  beforeEach(() => {
    driver = stand().driver();
    watching = new AbortController();
    events = collect(driver, watching.signal);
  });

  afterEach(async () => {
    watching.abort();
    await driver.close();
  });

  async function started(switches = ''): Promise<DomainDefinition> {
    const definition = stand().guest(switches);
    await driver.define(definition);
    await driver.start(definition.uuid);
    return definition;
  }

  it('boots, tells of it on its console, gets an address and answers the machine it runs on', async () => {
    const { uuid, name, interfaces } = await started();
    const lines = await stand().says(name, /usher guest: address .*/);
    expect(lines).to.contain('usher guest: ready');
    const [address] = await driver.addresses(uuid);
    expect(address).to.include({ macAddress: interfaces[0]?.macAddress, source: 'Lease' });
    expect(lines).to.contain(`usher guest: address ${address?.ip} on eth0`);
    const before = (await driver.usage()).domains.get(uuid);
    await run('ping', ['-c', '3', '-i', '0.2', '-s', '1000', address?.ip ?? '']);
    const after = (await driver.usage()).domains.get(uuid);
    expect(Number(after?.networkReceiveBytes) - Number(before?.networkReceiveBytes)).to.be.within(3_000, 10_000);
    expect(Number(after?.networkTransmitBytes) - Number(before?.networkTransmitBytes)).to.be.within(3_000, 10_000);
    await gone(driver, uuid);
  });

  it('started again has no address at first, though its network remembers the one it had', async () => {
    const { uuid } = await started();
    const addressOf = async () => (await driver.addresses(uuid))[0];
    const before = await eventually('it has an address', BOOT_SECONDS, addressOf);
    await driver.destroy(uuid);
    await driver.start(uuid);
    expect(await driver.addresses(uuid)).to.deep.equal([]);
    expect(await virsh(stand().host, 'domifaddr', uuid), 'what its network says').to.contain(before.ip);
    expect(await eventually('it has an address anew', BOOT_SECONDS, addressOf)).to.deep.equal(before);
    await gone(driver, uuid);
  });

  it('reads from its disks, one of which it may not write to, and the bytes are counted', async () => {
    const pool = join(stand().host.directory, 'pool');
    await virsh(stand().host, 'pool-create-as', 'disks', 'dir', '--target', pool, '--build');
    await virsh(stand().host, 'vol-create-as', 'disks', 'root.qcow2', '16M', '--format', 'qcow2');
    await virsh(stand().host, 'vol-create-as', 'disks', 'data.raw', '16M', '--format', 'raw');
    const root = { name: 'root', pool: 'disks', volume: 'root.qcow2', format: 'qcow2', readOnly: false } as const;
    const data = { name: 'data', pool: 'disks', volume: 'data.raw', format: 'raw', readOnly: true } as const;
    const definition = { ...stand().guest(), disks: [root, data] };
    await driver.define(definition);
    await driver.start(definition.uuid);
    await stand().says(definition.name, 'usher guest: ready');
    expect(await virsh(stand().host, 'domblklist', definition.uuid)).to.match(/vda\s+root\.qcow2\s+vdb\s+data\.raw/);
    // Linux looks for partitions at the beginning and at the end of each disk.
    expect(Number((await driver.usage()).domains.get(definition.uuid)?.diskReadBytes)).to.be.greaterThan(4096);
    await gone(driver, definition.uuid);
  });

  it('uses the processor time that the kernel counts for it, near one CPU when it burns one', async () => {
    const { uuid, name } = await started('usher.burn=120');
    await stand().says(name, 'usher guest: ready');
    await pause(1_000);
    const [usage, process] = await Promise.all([
      rateOf(() => driverTime(driver, uuid)),
      rateOf(() => processTime(stand(), name)),
    ]);
    expect(usage, 'as libvirt counts').to.be.closeTo(process, 100);
    expect(usage, 'thousandths of a CPU').to.be.within(200, 1_200);
    const { memoryBytes } = (await driver.usage()).domains.get(uuid) ?? { memoryBytes: 0 };
    expect(memoryBytes, 'memory that the guest itself says it uses').to.be.within(2 ** 20, 128 * 2 ** 20);
    await gone(driver, uuid);
  });

  it('that powers itself off ends by Shutdown, and the guest is named as the initiator', async () => {
    const { uuid } = await started('usher.poweroff=1');
    expect((await off(driver, uuid)).shutOffReason).to.equal('Shutdown');
    expect(await ended(events, uuid)).to.include({ detail: 'Stopped: shutdown', initiator: 'Guest' });
    await gone(driver, uuid);
  });

  it('whose kernel panics ends by Crashed, and the guest is named as the initiator', async () => {
    const { uuid, name } = await started('usher.panic=1');
    await stand().says(name, 'usher guest: panicking');
    expect((await off(driver, uuid)).shutOffReason).to.equal('Crashed');
    expect(await ended(events, uuid)).to.include({ detail: 'Stopped: crashed', initiator: 'Guest' });
    await gone(driver, uuid);
  });

  it('whose process is killed has crashed or failed, and nobody is named', async () => {
    const { uuid, name } = await started();
    await signalGuest(stand().host, name, 'KILL');
    expect((await off(driver, uuid)).shutOffReason).to.be.oneOf(['Crashed', 'Failed']);
    expect(await ended(events, uuid)).to.include({ detail: 'Stopped: failed', initiator: 'Unknown' });
    await gone(driver, uuid);
  });

  it('destroyed behind our back ends by Destroyed, and the host is named as the initiator', async () => {
    const { uuid } = await started();
    await virsh(stand().host, 'destroy', uuid);
    expect((await off(driver, uuid)).shutOffReason).to.equal('Destroyed');
    expect(await ended(events, uuid)).to.include({ detail: 'Stopped: destroyed', initiator: 'Host' });
    await gone(driver, uuid);
  });

  it('whose metadata someone else has written over is announced, and is not ours any longer', async () => {
    const definition = stand().guest();
    const { uuid } = definition;
    await driver.define(definition);
    expect((await present(driver, uuid)).metadata).to.deep.equal(definition.metadata);
    const theirs = ['--uri', 'https://usher.dev/domain/v1', '--key', 'usher', '--set', '<domain uid="forged"/>'];
    await virsh(stand().host, 'metadata', uuid, '--config', ...theirs);
    await eventually('the change is announced', 10, async () =>
      events.find((event) => event.kind === 'Changed' && event.uuid === uuid && event.detail === 'Metadata changed'),
    );
    expect(await present(driver, uuid)).not.to.have.property('metadata');
    await gone(driver, uuid);
  });

  it('that is deaf to its power button runs on after a request to shut down', async () => {
    const { uuid, name } = await started('usher.deaf=1');
    await stand().says(name, 'usher guest: ready');
    await driver.shutdown(uuid);
    await pause(3_000);
    expect(await present(driver, uuid)).to.include({ powerState: 'Running' });
    await gone(driver, uuid);
  });

  it('survives the death of libvirtd, which is announced, and is not started again', async () => {
    const { uuid, name } = await started();
    const before = await pidOf(stand(), name);
    await killLibvirt(stand().host, 'stays away');
    await eventually('the loss is announced', 10, async () => events.find(({ kind }) => kind === 'Disconnected'));
    await releaseLibvirt(stand().host);
    await eventually('the return is announced', 10, async () => events.find(({ kind }) => kind === 'Reconnected'));
    expect(await present(driver, uuid)).to.include({ powerState: 'Running' });
    expect(await pidOf(stand(), name)).to.equal(before);
    await gone(driver, uuid);
  });

  it('that died while libvirtd was away is found off, with what is known of the reason', async () => {
    const { uuid, name } = await started();
    await killLibvirt(stand().host, 'stays away');
    await inside(stand().host, 'kill', '-KILL', `${await pidOf(stand(), name)}`);
    await releaseLibvirt(stand().host);
    await reconnected(driver);
    expect((await off(driver, uuid)).shutOffReason).to.be.oneOf(['Crashed', 'Failed', 'Unknown']);
    await gone(driver, uuid);
  });

  it('that hangs is passed by: the others are counted, listed and changed, and it can be destroyed', async () => {
    const [hung, other] = [await started(), await started()];
    await signalGuest(stand().host, hung.name, 'STOP');
    const { domains } = await driver.usage();
    expect(domains.has(other.uuid), 'the other one is counted').to.equal(true);
    expect(domains.has(hung.uuid), 'the hung one is left out').to.equal(false);
    expect(await driver.list()).to.have.length(2);
    await driver.setMetadata(other.uuid, { ...other.metadata, epoch: 2 });
    expect((await present(driver, other.uuid)).metadata?.epoch).to.equal(2);
    const patient = stand().driver({ timeouts: { destroy: 30_000 } });
    await patient.destroy(hung.uuid);
    await patient.close();
    expect(await present(driver, hung.uuid)).to.include({ powerState: 'ShutOff', shutOffReason: 'Destroyed' });
    await gone(driver, hung.uuid);
    await gone(driver, other.uuid);
  });
});

describeQemu('a start that libvirtd was killed in', (stand) => {
  it('is forgotten by a libvirt to which no guest of ours is tainted: such are not noted before they have a process', async () => {
    const driver = stand().driver();
    const definition = stand().guest();
    await driver.define(definition);
    await driver.start(definition.uuid);
    expect(await inside(stand().host, 'cat', `/run/libvirt/qemu/${definition.name}.xml`)).not.to.contain('<taint');
    expect(await driver.capabilities()).not.to.have.property('remark');
    await gone(driver, definition.uuid);
    await driver.close();
  });

  it('leaves a guest whose state is not known, whatever libvirt says, until somebody has removed its traces', async () => {
    const driver = stand().driver();
    const { uuid, name, ...definition } = stand().guest();
    await driver.define({ uuid, name, ...definition });
    await driver.start(uuid);
    await leaveStartUnfinished(stand().host, name);
    await reconnected(driver);
    expect(await virsh(stand().host, 'domstate', '--reason', name)).to.contain('paused (starting up)');
    expect(await present(driver, uuid)).to.include({ powerState: 'Unknown' });
    const refusal = await driver.destroy(uuid).catch((error: unknown) => error);
    expect(isDriverError(refusal, 'Timeout'), inspect(refusal)).to.equal(true);
    await forgetUnfinishedStarts(stand().host);
    await reconnected(driver);
    expect(await present(driver, uuid)).to.include({ powerState: 'ShutOff' });
    await driver.start(uuid);
    expect(await present(driver, uuid)).to.include({ powerState: 'Running' });
    await gone(driver, uuid);
    await driver.close();
  });
});

describeQemu('libvirtd that hangs', (stand) => {
  it('lets calls time out, does not block the event loop, and is used again when it goes on', async () => {
    const driver = stand().driver({ timeouts: { connect: 1_000, query: 1_000 } });
    await driver.list();
    await signalLibvirt(stand().host, 'STOP');
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    const outcomes = await Promise.allSettled(Array.from({ length: 12 }, () => driver.list()));
    delay.disable();
    await signalLibvirt(stand().host, 'CONT');
    for (const outcome of outcomes) {
      expect(outcome).to.have.property('status', 'rejected');
      expect(outcome.status === 'rejected' && isDriverError(outcome.reason, 'Timeout', 'Unreachable')).to.equal(true);
    }
    expect(delay.max / 1e6, 'milliseconds').to.be.below(500);
    const answered = async () => driver.list().catch(() => undefined);
    expect(await eventually('it answers again', 20, answered)).to.deep.equal([]);
    await driver.close();
  });
});

describeQemu('the probe of KVM', (stand) => {
  it('finds out within seconds whether guests run under KVM here, and leaves nothing behind', async () => {
    const asking = stand().probingDriver();
    const began = performance.now();
    const { type } = await asking.capabilities();
    expect(type).to.be.oneOf(['kvm', 'qemu']);
    expect(performance.now() - began).to.be.below(30_000);
    expect((await asking.capabilities()).type, 'the second answer').to.equal(type);
    await asking.close();
    expect((await virsh(stand().host, 'list', '--all', '--name')).trim()).to.equal('');
  });
});

function collect(driver: HypervisorDriver, signal: AbortSignal): DriverEvent[] {
  const events: DriverEvent[] = [];
  void (async () => {
    for await (const event of driver.watch(signal)) {
      events.push(event);
    }
  })();
  return events;
}

async function present(driver: HypervisorDriver, uuid: string): Promise<Domain> {
  const observation = await driver.observe(uuid);
  if (observation.kind === 'Absent') {
    throw new Error(`domain ${uuid} is absent`);
  }
  return observation.domain;
}

async function off(driver: HypervisorDriver, uuid: string): Promise<Domain> {
  return eventually(`${uuid} is off`, BOOT_SECONDS, async () => {
    const domain = await present(driver, uuid);
    return domain.powerState === 'ShutOff' ? domain : undefined;
  });
}

/** The driver finds a libvirt that came back by itself, within its own back-off. */
async function reconnected(driver: HypervisorDriver): Promise<void> {
  await eventually('the driver is connected again', 20, async () =>
    driver.node().catch((error: unknown) => {
      if (isDriverError(error, 'Unreachable')) return undefined;
      throw error;
    }),
  );
}

async function ended(events: readonly DriverEvent[], uuid: string): Promise<DriverEvent> {
  return eventually(`the end of ${uuid} is announced`, 10, async () =>
    events.find((event) => event.kind === 'Changed' && event.uuid === uuid && event.detail.startsWith('Stopped')),
  );
}

async function gone(driver: HypervisorDriver, uuid: string): Promise<void> {
  await driver.destroy(uuid);
  await driver.undefine(uuid);
}

/** As the machine it runs on numbers processes. */
async function pidOf({ host }: QemuStand, name: string): Promise<number> {
  return Number(await inside(host, 'cat', `/run/libvirt/qemu/${name}.pid`));
}

async function driverTime(driver: HypervisorDriver, uuid: string): Promise<bigint> {
  return (await driver.usage()).domains.get(uuid)?.cpuNanoseconds ?? 0n;
}

/** proc(5): utime and stime are fields 14 and 15, in hundredths of a second. */
async function processTime(stand: QemuStand, name: string): Promise<bigint> {
  const stat = await inside(stand.host, 'cat', `/proc/${await pidOf(stand, name)}/stat`);
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return BigInt(Number(fields[11]) + Number(fields[12])) * 10_000_000n;
}

/** Thousandths of a CPU over five seconds. */
async function rateOf(read: () => Promise<bigint>): Promise<number> {
  const [before, began] = [await read(), performance.now()];
  await pause(5_000);
  const [after, ended] = [await read(), performance.now()];
  return Number(after - before) / 1e6 / ((ended - began) / 1000);
}
