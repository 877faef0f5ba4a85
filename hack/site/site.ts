// A whole site on one machine: a control plane with Usher's API, rights and admission, hypervisor machines, the operator
// and a daemon for each machine. The demo and the end-to-end tests run on it.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { startControlPlane, stopControlPlane } from '../control-plane/control-plane.ts';
import { ProcessGroup, stopRecorded } from '../process-group.ts';
import { type Announce, installUsher } from './install.ts';
import { type Machine, type Machines, realMachines, simulatedMachines, stopMachinesIn } from './machines.ts';
import { startGuard, startNodeDaemon, startOperator } from './programs.ts';

export interface SiteOptions {
  /** Holds logs, kubeconfigs and records. */
  readonly directory: string;
  /** Short: sockets lie below it. */
  readonly machineDirectory: string;
  readonly machineNames: readonly string[];
  readonly hypervisor: 'qemu' | 'simulated';
  /** `parent`: ends with this process. `detached`: stays until `stopSite`. */
  readonly lifetime: 'parent' | 'detached';
  readonly announce: Announce;
  /** Of the daemons' heartbeats; the silence time-out of the operator is four times that. Seconds. */
  readonly heartbeatSeconds?: number;
  /** What the operator is told besides. */
  readonly operatorArguments?: readonly string[];
  /** What real guests run on. `auto`, unless given, tries KVM each time a daemon starts; `qemu` emulates. */
  readonly virtualization?: 'auto' | 'qemu';
  /** Gives each machine a guard, which stops guests so long after the last heartbeat. Without it there are none. */
  readonly guardDeadlineSeconds?: number;
}

export interface Site {
  readonly options: SiteOptions;
  readonly controlPlane: ControlPlane;
  readonly machines: readonly Machine[];
  /** The operator and the daemons, by name. */
  readonly programs: ProcessGroup;
  /** Called `operator` unless named otherwise: several may run side by side. */
  startOperator(name?: string): Promise<void>;
  startNodeDaemon(machine: string): Promise<void>;
  stop(): Promise<void>;
}

/** Starts everything and returns once the API is installed; daemons register a moment later. Stops all if it fails. */
export async function startSite(options: SiteOptions): Promise<Site> {
  const { directory, announce, lifetime } = options;
  await mkdir(join(directory, 'logs'), { recursive: true });
  announce('Starting etcd, kube-apiserver and kube-controller-manager');
  const controlPlane = await startControlPlane({
    directory: join(directory, 'control-plane'),
    controllerManager: true,
    detached: lifetime === 'detached',
  });
  const programs = new ProcessGroup(directory);
  let machines: Machines | undefined;
  const stop = async () => {
    await programs.stopAll();
    await machines?.stop();
    await controlPlane.stop();
  };
  try {
    await installUsher(controlPlane, announce);
    machines = await machinesFor(options);
    return await startPrograms({ options, controlPlane, programs, machines: machines.list, stop });
  } catch (error) {
    await stop();
    throw error;
  }
}

async function machinesFor({
  hypervisor,
  machineNames,
  machineDirectory,
  lifetime,
  announce,
}: SiteOptions): Promise<Machines> {
  if (hypervisor === 'simulated') return simulatedMachines(machineNames);
  announce(`Starting ${machineNames.length} hypervisor machines, each a libvirt in namespaces of its own`);
  return realMachines({ names: machineNames, directory: machineDirectory, lifetime });
}

interface Parts {
  readonly options: SiteOptions;
  readonly controlPlane: ControlPlane;
  readonly programs: ProcessGroup;
  readonly machines: readonly Machine[];
  readonly stop: () => Promise<void>;
}

async function startPrograms({ options, controlPlane, programs, machines, stop }: Parts): Promise<Site> {
  const {
    announce,
    directory,
    lifetime,
    heartbeatSeconds = 10,
    virtualization = 'auto',
    guardDeadlineSeconds,
    operatorArguments = [],
  } = options;
  const running = {
    controlPlane,
    programs,
    directory,
    lifetime,
    heartbeatSeconds,
    virtualization,
    guardDeadlineSeconds,
    operatorArguments,
  };
  const site: Site = {
    options,
    controlPlane,
    machines,
    programs,
    startOperator: async (name = 'operator') => startOperator(running, name),
    startNodeDaemon: async (name) => {
      const machine = machines.find((candidate) => candidate.name === name);
      if (machine === undefined) throw new Error(`there is no machine ${name} in this site`);
      await startNodeDaemon(running, machine);
    },
    stop,
  };
  announce(`Starting the operator and ${machines.length} node daemons, each with a token that is bound to its node`);
  await site.startOperator();
  for (const { name } of machines) await site.startNodeDaemon(name);
  if (guardDeadlineSeconds !== undefined) for (const machine of machines) await startGuard(running, machine);
  return site;
}

/** Ends a detached site by its records. Gives back the names of what still ran. */
export async function stopSite(directory: string, machineDirectory: string): Promise<string[]> {
  const programs = await stopRecorded(directory);
  const machines = await stopMachinesIn(machineDirectory);
  const controlPlane = await stopControlPlane(join(directory, 'control-plane'));
  return [...programs, ...machines, ...controlPlane];
}
