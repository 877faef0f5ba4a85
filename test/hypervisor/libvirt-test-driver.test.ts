import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startTestDriver, type TestDriver, testDriverObstacle } from '#hack/hypervisor-host/test-driver.ts';
import type { DriverControl, DriverUnderTest } from '#node-daemon/hypervisor/conformance/subject.ts';
import { describeDriver } from '#node-daemon/hypervisor/conformance/suite.ts';
import type { HypervisorDriver } from '#node-daemon/hypervisor/driver.ts';
import { createLibvirtDriver } from '#node-daemon/hypervisor/libvirt/driver.ts';
import { systemClock, systemRandom } from '#runtime/clock/system.ts';
import { skip } from '../runner/skip.ts';
import { SocketProxy } from './libvirt-socket-proxy.ts';

interface Stand {
  readonly libvirt: TestDriver;
  readonly directory: string;
  readonly proxy: SocketProxy;
  /** libvirt forgets the domains of test:///default with its last connection: this one stays. */
  readonly keeper: HypervisorDriver;
}

describe('libvirt, its test driver', () => {
  let stand: Stand;

  before(async function () {
    const obstacle = await testDriverObstacle();
    if (obstacle !== undefined) {
      skip(this, obstacle);
    }
    stand = await setUp();
  });

  after(async () => {
    await stand?.keeper.close();
    await stand?.proxy.close();
    await stand?.libvirt.stop();
    await rm(stand?.directory ?? '', { recursive: true, force: true });
  });

  describeDriver(subject(() => stand));
});

async function setUp(): Promise<Stand> {
  const libvirt = await startTestDriver();
  const directory = await mkdtemp(join(tmpdir(), 'usher-libvirt-'));
  await mkdir(join(directory, 'boot'));
  await writeFile(join(directory, 'boot', 'vmlinuz'), 'a kernel, as far as the test driver cares');
  const proxy = new SocketProxy(join(directory, 'proxy'), libvirt.socketPath);
  await proxy.open();
  const keeper = driverFor(libvirt.socketPath, directory);
  await keeper.list();
  return { libvirt, directory, proxy, keeper };
}

function driverFor(socketPath: string, directory: string): HypervisorDriver {
  return createLibvirtDriver({
    socketPath,
    uri: 'test:///default',
    bootDirectory: join(directory, 'boot'),
    timeouts: { connect: 500, query: 1_000, change: 1_000, start: 1_000, save: 1_000, destroy: 1_000 },
    clock: systemClock,
    random: systemRandom,
  });
}

function subject(stand: () => Stand): DriverUnderTest {
  return {
    name: 'libvirt on test:///default',
    make: async () => driverFor(stand().proxy.socketPath, stand().directory),
    features: new Set(['GracefulShutdown', 'Reboot', 'Pause', 'Hibernate', 'Events', 'Addresses']),
    guest: {
      boot: { kind: 'Kernel', image: 'vmlinuz', commandLine: 'quiet' },
      missingBoot: { kind: 'Kernel', image: 'no-such-kernel' },
      tooLarge: { cannot: 'the test driver gives every guest the memory it asks for' },
      unstartable: { cannot: 'the test driver starts whatever is defined' },
      memoryBytes: 64 * 1024 * 1024,
      network: 'default',
      obtainsAddress: true,
      slowToObtainAddress: { cannot: 'the test driver makes addresses up for its guests, as soon as they run' },
    },
    control: controlOf(stand),
    otherSide: { cannot: 'the test driver of libvirt cannot migrate' },
    timeouts: { verbMilliseconds: 3_000, settleMilliseconds: 5_000 },
    commands: { runs: 25, maxLength: 20 },
  };
}

function controlOf(stand: () => Stand): DriverControl {
  const virsh = async (...args: string[]): Promise<void> => {
    await stand().libvirt.virsh(...args);
  };
  return {
    destroyBehindOurBack: (uuid) => virsh('destroy', uuid),
    undefineBehindOurBack: (uuid) => virsh('undefine', uuid),
    discardBehindOurBack: (uuid) => virsh('managedsave-remove', uuid),
    crash: { cannot: 'guests of the test driver have no process that could die' },
    powerOffFromInside: (uuid) => virsh('shutdown', uuid),
    createForeign: async (uuid, name) => {
      const file = join(stand().directory, `${uuid}.xml`);
      await writeFile(file, foreignXml(uuid, name));
      await virsh('create', file);
    },
    removeForeign: async (uuid) => {
      await stand().keeper.destroy(uuid);
    },
    restart: async () => stand().proxy.cut(),
    makeUnreachable: async () => {
      await stand().proxy.close();
      return () => stand().proxy.open();
    },
    hang: async () => {
      stand().libvirt.signal('SIGSTOP');
      return async () => {
        stand().libvirt.signal('SIGCONT');
        await delay(1_000);
        stand().libvirt.signal('SIGCONT'); // says so where it did not survive
      };
    },
  };
}

function foreignXml(uuid: string, name: string): string {
  return `<domain type='test'><name>${name}</name><uuid>${uuid}</uuid><memory unit='MiB'>32</memory>
    <os><type arch='i686'>hvm</type></os></domain>`;
}
