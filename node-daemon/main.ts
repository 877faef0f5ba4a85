// The daemon of one hypervisor machine. Only wiring here.
import { parseQuantity } from '#crds/quantity.ts';
import packageJson from '#package.json' with { type: 'json' };
import { systemClock, systemRandom } from '#runtime/clock-system.ts';
import { EventRecorder } from '#runtime/event-recorder.ts';
import { controllerMetrics, reflectorMetrics } from '#runtime/metrics.ts';
import type { OptionValues } from '#runtime/option-table.ts';
import { type Runtime, runProgram } from '#runtime/program.ts';
import type { HypervisorDriver } from './hypervisor/driver.ts';
import { createLibvirtDriver } from './hypervisor/libvirt/driver.ts';
import { createSimulatedDriver } from './hypervisor/simulated/driver.ts';
import { SimulatedHost } from './hypervisor/simulated/host.ts';
import { readBootID } from './inventory/boot-id.ts';
import { nodeDaemonOptions, parseLabels } from './options.ts';
import { runNodeDaemon } from './wiring.ts';

const NAME = 'usher-node-daemon';
const SAMPLE_INTERVAL_MS = 10_000;
const USAGE_LIMITS = { intervalMilliseconds: 60_000, jitter: 0.2, writesPerMinute: 30 };

type Options = OptionValues<typeof nodeDaemonOptions>;

async function run({
  options,
  store,
  logger,
  metrics,
  setUnready,
  stop,
}: Runtime<typeof nodeDaemonOptions>): Promise<void> {
  const clock = systemClock;
  const events = new EventRecorder({ store, clock, logger, component: NAME, instance: options.nodeName });
  await runNodeDaemon(
    {
      store,
      clock,
      random: systemRandom,
      logger,
      driver: driverFor(options),
      driverName: options.driver,
      nodeName: options.nodeName,
      labels: parseLabels(options.labels),
      bootID: async () => readBootID(),
      agentVersion: packageJson.version,
      reserved: { cpus: options.reservedCpus, memoryBytes: parseQuantity(options.reservedMemory) },
      heartbeatIntervalMs: options.heartbeatIntervalSeconds * 1000,
      sampleIntervalMs: SAMPLE_INTERVAL_MS,
      usageLimits: USAGE_LIMITS,
      warn: (object, reason, message) => events.warn(object, reason, message),
      reflectorObserver: reflectorMetrics(metrics),
      controllerObserver: controllerMetrics(metrics),
      onReady: () => setUnready(undefined),
    },
    stop,
  );
  await events.flush();
}

function driverFor(options: Options): HypervisorDriver {
  const clock = systemClock;
  if (options.driver === 'simulated')
    return createSimulatedDriver(new SimulatedHost({ clock, name: options.nodeName }));
  const { consoleDirectory, virtualization } = options;
  return createLibvirtDriver({
    clock,
    random: systemRandom,
    socketPath: options.libvirtSocket,
    uri: options.libvirtUri,
    bootDirectory: options.bootDirectory,
    ...(virtualization === 'auto' ? {} : { domainType: virtualization }),
    ...(consoleDirectory === undefined ? {} : { consoleLogDirectory: consoleDirectory }),
    nodeCounters: { networkDirectory: '/proc/1/net', diskStatistics: '/proc/diskstats' },
  });
}

process.exitCode = await runProgram({
  name: NAME,
  usage: 'usher-node-daemon: makes the hypervisor of one machine run what was granted, and tells what it sees.',
  table: nodeDaemonOptions,
  run,
});
