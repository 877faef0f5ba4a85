// What can be said of a simulated machine, and what it is where nothing is said.
import type { Clock } from '#runtime/clock/clock.ts';
import type { DomainDefinition, Feature } from '../driver.ts';
import { type Load, steadyLoad } from './load.ts';
import { Peers } from './peers.ts';

const GIBIBYTE = 2 ** 30;

export interface SimulatedHostOptions {
  readonly clock: Clock;
  /** Tells the boots of one host from those of another. */
  readonly name?: string;
  readonly cpus?: number;
  readonly memoryBytes?: number;
  /** All there are where this is left out; live migration only with `peers`. */
  readonly features?: ReadonlySet<Feature>;
  /** The files guests may boot from; any name will do where this is left out. */
  readonly bootFiles?: ReadonlySet<string>;
  /** How long the start of a guest takes; no time at all where this is left out. */
  readonly startMilliseconds?: number;
  /** How long a guest takes to shut down once asked; no time at all where this is left out. */
  readonly shutdownMilliseconds?: number;
  /** How long it takes to write the memory of a guest to disk; no time at all where this is left out. */
  readonly saveMilliseconds?: number;
  /** The machines that it can send guests to, and that can send it some; none where this is left out. */
  readonly peers?: Peers;
  /** How long the memory of a guest is on its way where nothing slows it down; no time at all where this is left out. */
  readonly copyMilliseconds?: number;
  /** How long a guest stands still before it runs on elsewhere, and again before it is gone here. */
  readonly handOverMilliseconds?: number;
  /** What a guest uses; 5 % of a CPU and half of its memory where this is left out. */
  readonly load?: (definition: DomainDefinition) => Load;
  /** How many calls the log keeps. */
  readonly callLogLimit?: number;
}

export type MachineOptions = Required<Omit<SimulatedHostOptions, 'bootFiles'>> & {
  readonly bootFiles: ReadonlySet<string> | undefined;
};

const DEFAULTS = {
  name: 'simulated',
  cpus: 64,
  memoryBytes: 256 * GIBIBYTE,
  features: new Set<Feature>([
    'GracefulShutdown',
    'Reboot',
    'Pause',
    'StartPaused',
    'Hibernate',
    'CpuGuarantees',
    'Events',
    'CpuUsage',
    'MemoryUsage',
    'NetworkUsage',
    'DiskUsage',
    'Addresses',
    'SerialLog',
  ]),
  bootFiles: undefined,
  startMilliseconds: 0,
  shutdownMilliseconds: 0,
  saveMilliseconds: 0,
  peers: new Peers(),
  copyMilliseconds: 0,
  handOverMilliseconds: 0,
  load: quietLoad,
  callLogLimit: 10_000,
} as const satisfies Omit<MachineOptions, 'clock'>;

export function machineOptions(options: SimulatedHostOptions): MachineOptions {
  const features = options.peers === undefined ? DEFAULTS.features : [...DEFAULTS.features, 'LiveMigration' as const];
  return { ...DEFAULTS, features: new Set(features), ...options };
}

function quietLoad({ memoryBytes }: DomainDefinition): Load {
  return steadyLoad({
    cpuMillis: 50,
    memoryBytes: memoryBytes / 2,
    networkReceive: 2_000,
    networkTransmit: 1_000,
    diskRead: 0,
    diskWrite: 4_000,
  });
}
