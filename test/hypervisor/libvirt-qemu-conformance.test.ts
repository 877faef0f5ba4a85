import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { killLibvirt, releaseLibvirt, signalGuest, signalLibvirt } from '#hack/hypervisor-host/faults.ts';
import { inside, virsh } from '#hack/hypervisor-host/host.ts';
import { cgroupObstacle } from '#hack/hypervisor-host/host-cgroup.ts';
import type { DriverControl, DriverUnderTest, OtherSide } from '#node-daemon/hypervisor/conformance/subject.ts';
import { describeDriver } from '#node-daemon/hypervisor/conformance/suite.ts';
import {
  BOOT_SECONDS,
  describeQemuPair,
  eventually,
  GUEST_MEMORY_BYTES,
  type QemuStand,
} from './libvirt-qemu-stand.ts';

/** Where the machine has no such cgroups the suite shows that it is refused. */
const sharesCpuTime = (await cgroupObstacle()) === undefined;

describeQemuPair('libvirt with QEMU guests', (stand, other) => describeDriver(subject(stand, other)));

function subject(stand: () => QemuStand, other: () => QemuStand): DriverUnderTest {
  return {
    name: 'libvirt on qemu:///system',
    make: async () => stand().driver(),
    features: new Set([
      ...(sharesCpuTime ? (['CpuGuarantees'] as const) : []),
      'GracefulShutdown',
      'Reboot',
      'Pause',
      'StartPaused',
      'Hibernate',
      'Events',
      'CpuUsage',
      'MemoryUsage',
      'NetworkUsage',
      'DiskUsage',
      'Addresses',
      'SerialLog',
      'LiveMigration',
    ]),
    guest: {
      get boot() {
        return stand().bootSource();
      },
      missingBoot: { kind: 'Kernel', image: 'no-such-kernel' },
      tooLarge: { memoryBytes: 2 ** 39 },
      unstartable: { interfaces: [{ name: 'eth0', network: 'nowhere', macAddress: '52:54:00:00:00:01' }] },
      memoryBytes: GUEST_MEMORY_BYTES,
      network: 'default',
      obtainsAddress: true,
      slowToObtainAddress: {},
      ready: async (uuid) => {
        await stand().says(await nameOf(stand(), uuid), 'usher guest: ready');
      },
    },
    control: controlOf(stand),
    otherSide: otherSideOf(stand, other),
    timeouts: { verbMilliseconds: 25_000, settleMilliseconds: BOOT_SECONDS * 1000 },
    commands: { runs: 6, maxLength: 12 },
  };
}

function otherSideOf(here: () => QemuStand, there: () => QemuStand): OtherSide {
  return {
    make: async () => there().driver(),
    get address() {
      return there().migrationAddress;
    },
    get back() {
      return here().migrationAddress;
    },
    get nobody() {
      return there().migrationAddress.replace('/system', ':1/system');
    },
    slowly: { bandwidthMiB: 4, timeoutMs: 120_000 },
    knowsNetworks: true,
    // Who cannot answer when the memory is there can neither let it run there nor say that it does not.
    strand: async (uuid) => {
      const [source, target] = [here().host, there().host];
      await signalLibvirt(target, 'STOP');
      await virsh(source, 'migrate-setspeed', uuid, '1000');
      await eventually('it stands still', 30, async () => {
        const state = await virsh(source, 'domstate', '--reason', uuid);
        return state === 'paused (migrating)' || undefined;
      });
      // libvirt must have noted that all was sent: else it lets the guest run on by itself.
      await pause(2_000);
      await killLibvirt(source, 'stays away');
      await killLibvirt(target, 'stays away');
      await releaseLibvirt(target);
      await releaseLibvirt(source);
    },
  };
}

function controlOf(stand: () => QemuStand): DriverControl {
  const host = () => stand().host;
  return {
    destroyBehindOurBack: async (uuid) => {
      await virsh(host(), 'destroy', uuid);
    },
    undefineBehindOurBack: async (uuid) => {
      await virsh(host(), 'undefine', uuid);
    },
    discardBehindOurBack: async (uuid) => {
      await virsh(host(), 'managedsave-remove', uuid);
    },
    crash: async (uuid) => signalGuest(host(), await nameOf(stand(), uuid), 'KILL'),
    powerOffFromInside: async (uuid) => {
      // QEMU looks once a second whether somebody has opened the terminal, and throws away what comes before.
      const typing = '{ sleep 3; printf "\\npoweroff -f\\n"; sleep 1; } >"$1"';
      await inside(host(), 'sh', '-c', typing, 'sh', await virsh(host(), 'ttyconsole', uuid));
    },
    createForeign: async (uuid, name) => {
      const file = join(host().directory, `${uuid}.xml`);
      await writeFile(file, foreignXml(uuid, name));
      await virsh(host(), 'create', file);
    },
    removeForeign: async (uuid) => {
      await virsh(host(), 'destroy', uuid);
    },
    restart: async () => {
      await killLibvirt(host(), 'stays away');
      await releaseLibvirt(host());
    },
    makeUnreachable: async () => {
      await killLibvirt(host(), 'stays away');
      return () => releaseLibvirt(host());
    },
    hang: async () => {
      await signalLibvirt(host(), 'STOP');
      return () => signalLibvirt(host(), 'CONT');
    },
  };
}

async function nameOf(stand: QemuStand, uuid: string): Promise<string> {
  return (await virsh(stand.host, 'domname', uuid)).trim();
}

function foreignXml(uuid: string, name: string): string {
  return `<domain type='qemu'><name>${name}</name><uuid>${uuid}</uuid><memory unit='MiB'>32</memory>
    <os><type arch='x86_64'>hvm</type></os></domain>`;
}
