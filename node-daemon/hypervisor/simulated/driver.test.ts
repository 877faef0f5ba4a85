import { setTimeout as realPause } from 'node:timers/promises';
import { systemClock } from '#runtime/clock/system.ts';
import { VirtualClock } from '#runtime/clock/virtual.ts';
import type { DriverControl, DriverUnderTest, OtherSide } from '../conformance/subject.ts';
import { describeDriver } from '../conformance/suite.ts';
import type { Feature } from '../driver.ts';
import { createSimulatedDriver } from './driver.ts';
import { SimulatedHost } from './host.ts';
import type { SimulatedHostOptions } from './machine-options.ts';
import { Peers } from './peers.ts';

const everything: readonly Feature[] = [
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
];

const UNSTARTABLE = '00000000-0000-4000-8000-00000000dead';
const SLOW = '00000000-0000-4000-8000-00000000510e';

function subject(
  name: string,
  options: Partial<SimulatedHostOptions>,
  features: ReadonlySet<Feature> = new Set(everything),
): DriverUnderTest {
  const clock = new VirtualClock();
  const pause = options.clock === undefined ? (milliseconds: number) => clock.advance(milliseconds) : realPause;
  const common = {
    clock,
    bootFiles: new Set(['vmlinuz']),
    peers: new Peers(),
    handOverMilliseconds: 100,
    ...options,
    features,
  };
  const host = new SimulatedHost({ ...common, name: 'here' });
  const other = new SimulatedHost({ ...common, name: 'there' });
  host.behave(UNSTARTABLE, { failsToStart: 'the simulated hypervisor refuses' });
  host.behave(SLOW, { bootMilliseconds: 1_000 });
  return {
    name,
    make: async () => createSimulatedDriver(host, { deadlineMilliseconds: 300 }),
    features,
    guest: {
      boot: { kind: 'Kernel', image: 'vmlinuz' },
      missingBoot: { kind: 'Kernel', image: 'no-such-kernel' },
      tooLarge: { memoryBytes: 2 ** 50 },
      unstartable: { uuid: UNSTARTABLE },
      memoryBytes: 2 ** 27,
      network: 'default',
      obtainsAddress: true,
      slowToObtainAddress: { uuid: SLOW },
    },
    control: controlOf(host),
    otherSide: otherSideOf({ host, other, pause: async (milliseconds) => pause(milliseconds) }),
    timeouts: { verbMilliseconds: 6_000, settleMilliseconds: 10_000 },
    commands: { runs: 100, maxLength: 30 },
    pause: async (milliseconds) => pause(milliseconds),
  };
}

interface Pair {
  readonly host: SimulatedHost;
  readonly other: SimulatedHost;
  readonly pause: (milliseconds: number) => Promise<void>;
}

function otherSideOf({ host, other, pause }: Pair): OtherSide {
  return {
    make: async () => createSimulatedDriver(other, { deadlineMilliseconds: 300 }),
    address: other.migrationAddress,
    back: host.migrationAddress,
    nobody: 'simulated://nobody',
    slowly: { bandwidthMiB: 40, timeoutMs: 60_000 },
    knowsNetworks: false,
    strand: async (uuid) => {
      while (host.machine.get(uuid).power.kind !== 'Outgoing') await pause(20);
      host.restartManagement();
      other.restartManagement();
    },
  };
}

function controlOf(host: SimulatedHost): DriverControl {
  return {
    destroyBehindOurBack: async (uuid) => host.destroyBehindOurBack(uuid),
    undefineBehindOurBack: async (uuid) => host.undefineBehindOurBack(uuid),
    discardBehindOurBack: async (uuid) => host.discardImageBehindOurBack(uuid),
    crash: async (uuid) => host.crash(uuid),
    powerOffFromInside: async (uuid) => host.powerOffFromInside(uuid),
    createForeign: async (uuid, name) => host.createForeign({ uuid, name }),
    removeForeign: async (uuid) => {
      host.machine.destroy(uuid);
      host.machine.undefine(uuid);
    },
    restart: async () => host.restartManagement(),
    makeUnreachable: async () => {
      host.disconnect();
      return async () => host.reconnect();
    },
    hang: async () => {
      host.hang();
      return async () => host.reconnect();
    },
  };
}

describeDriver(subject('simulated', {}));
describeDriver(subject('simulated without any feature', {}, new Set()));

const timely = subject('simulated with guests that take their time', {
  clock: systemClock,
  startMilliseconds: 10,
  shutdownMilliseconds: 10,
  saveMilliseconds: 10,
});
describeDriver({
  ...timely,
  timeouts: { verbMilliseconds: 400, settleMilliseconds: 5_000 },
  commands: { runs: 10, maxLength: 10 },
});
