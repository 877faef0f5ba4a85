// The daemon of one hypervisor machine. Only wiring here.
import { parseQuantity } from '#crds/quantity.ts';
import { INSTALL_API, INSTALL_OR_USE_RIGHTS } from '#crds/v1alpha1/installation.ts';
import { domainReportResource, hypervisorResource, virtualMachineResource } from '#crds/v1alpha1/kinds.ts';
import packageJson from '#package.json' with { type: 'json' };
import { systemClock, systemRandom } from '#runtime/clock/system.ts';
import { EventRecorder } from '#runtime/event/recorder.ts';
import { controllerMetrics } from '#runtime/process/metrics.ts';
import type { OptionValues } from '#runtime/process/option-table.ts';
import { OptionsError } from '#runtime/process/options.ts';
import { type Runtime, runProgram } from '#runtime/process/program.ts';
import { untilServed } from '#runtime/process/until-served.ts';
import { memoryIn } from './control-plane/memory.ts';
import { readBootTime } from './guard/boot-time.ts';
import { guardFilesIn } from './guard/files.ts';
import type { HypervisorDriver } from './hypervisor/driver.ts';
import { createLibvirtDriver } from './hypervisor/libvirt/driver.ts';
import { createSimulatedDriver } from './hypervisor/simulated/driver.ts';
import { SimulatedHost } from './hypervisor/simulated/host.ts';
import { readBootID } from './inventory/boot-id.ts';
import { guestMetrics } from './metrics.ts';
import { leaseSeconds } from './node-lease.ts';
import { nodeDaemonOptions, parseLabels, parsePools } from './options.ts';
import { USAGE_LIMITS } from './usage/publish.ts';
import { checkToken, type TokenCheck } from './whose-token.ts';
import { runNodeDaemon } from './wiring.ts';

const NAME = 'usher-node-daemon';
const SAMPLE_INTERVAL_MS = 10_000;
/** The guard looks twice a second, and the kernel takes processes away at once: this is patience. */
const GUARD_KILL_SECONDS = 10;
/**
 * The network that PID 1 is in: the machine's own, for a daemon on the machine and for a pod with hostPID or
 * hostNetwork. A pod with neither would count its own traffic as the machine's. Disks are the same everywhere.
 */
const NODE_COUNTERS = { networkDirectory: '/proc/1/net', diskStatistics: '/proc/diskstats' };

type Options = OptionValues<typeof nodeDaemonOptions>;

async function run(runtime: Runtime<typeof nodeDaemonOptions>): Promise<void> {
  const { options, store, logger, metrics, setUnready, readiness, patience, reflectorObserver, stop } = runtime;
  const clock = systemClock;
  await untilWelcome({ ...patience, store, nodeName: options.nodeName }, stop);
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
      ...migrationOf(options),
      bootID: async () => readBootID(),
      agentVersion: packageJson.version,
      reserved: { cpus: options.reservedCpus, memoryBytes: parseQuantity(options.reservedMemory) },
      guard: guardOf(options),
      ...paceOf(options),
      controlPlaneMemory: memoryIn(options.stateDirectory),
      warn: (object, reason, message) => events.warn(object, reason, message),
      observer: guestMetrics(metrics),
      reflectorObserver,
      controllerObserver: controllerMetrics(metrics),
      setUnready,
      tellHypervisor: (fault) => readiness.tell('hypervisor', fault),
    },
    stop,
  );
  await events.flush();
}

function paceOf({ heartbeatIntervalSeconds }: Options) {
  const heartbeatIntervalMs = heartbeatIntervalSeconds * 1000;
  return { heartbeatIntervalMs, sampleIntervalMs: SAMPLE_INTERVAL_MS, usageLimits: USAGE_LIMITS };
}

/** Simulated guests of one process cannot move to those of another. */
function migrationOf({ driver, migrationAddress: address, sharedPools }: Options) {
  if (driver === 'simulated' || address === undefined) return {};
  return { migration: { address, sharedPools: parsePools(sharedPools) } };
}

/** Once the API is installed, and knows this daemon for that of its node. */
async function untilWelcome(check: TokenCheck, stop: AbortSignal): Promise<void> {
  const types = [virtualMachineResource, hypervisorResource, domainReportResource];
  const advice = { NotFound: INSTALL_API, Forbidden: INSTALL_OR_USE_RIGHTS };
  await untilServed({ ...check, types, advice }, stop);
  await checkToken(check, stop);
}

/** A deadline before the Lease has run out would stop guests that nobody calls lost. */
function guardOf({ guardDirectory, guardDeadlineSeconds, heartbeatIntervalSeconds }: Options) {
  if (guardDirectory === undefined) return undefined;
  const least = leaseSeconds(heartbeatIntervalSeconds * 1000);
  if (guardDeadlineSeconds < least) {
    throw new OptionsError([
      `--guard-deadline-seconds is ${guardDeadlineSeconds}: it must be at least ${least}, for which a heartbeat is good`,
    ]);
  }
  const promise = { deadlineSeconds: guardDeadlineSeconds, killSeconds: GUARD_KILL_SECONDS };
  return { files: guardFilesIn(guardDirectory), bootTime: readBootTime, promise };
}

function driverFor(options: Options): HypervisorDriver {
  const clock = systemClock;
  if (options.driver === 'simulated')
    return createSimulatedDriver(new SimulatedHost({ clock, name: options.nodeName }));
  const { consoleDirectory, virtualization, migrationAddress } = options;
  return createLibvirtDriver({
    clock,
    random: systemRandom,
    socketPath: options.libvirtSocket,
    uri: options.libvirtUri,
    bootDirectory: options.bootDirectory,
    ...(virtualization === 'auto' ? {} : { domainType: virtualization }),
    ...(consoleDirectory === undefined ? {} : { consoleLogDirectory: consoleDirectory }),
    ...(migrationAddress === undefined ? {} : { migrationAddress }),
    nodeCounters: NODE_COUNTERS,
  });
}

process.exitCode = await runProgram({
  name: NAME,
  usage: 'usher-node-daemon: makes the hypervisor of one machine run what was granted, and tells what it sees.',
  table: nodeDaemonOptions,
  run,
});
