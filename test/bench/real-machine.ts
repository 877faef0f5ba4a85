// A real libvirt with real, emulated QEMU guests, and the daemon as it is shipped.
import { join } from 'node:path';
import { hypervisorResource } from '#crds/v1alpha1/kinds.ts';
import type { HypervisorHost } from '#hack/hypervisor-host/host.ts';
import { hostObstacle, startHost, stopHost } from '#hack/hypervisor-host/host-life.ts';
import { startNodeDaemon } from '#hack/site/programs.ts';
import { until } from '#hack/until.ts';
import { type BenchSite, withSite } from './site.ts';
import type { Turns } from './turns.ts';

export const MACHINE = 'hv1';
/** The most that the API takes, in percent. */
const OVERCOMMIT = { cpuPercent: 1600, memoryPercent: 100 };

export interface RealMachine {
  readonly site: BenchSite;
  readonly host: HypervisorHost;
  readonly daemonPid: number;
}

/** Runs `measure` with the operator and one machine that takes VMs, and takes all away however it ends. */
export async function withRealMachine<T>(
  turns: Turns,
  bootDirectory: string,
  measure: (machine: RealMachine) => Promise<T>,
): Promise<T> {
  const obstacle = await hostObstacle();
  if (obstacle !== undefined) throw new Error(obstacle);
  return withSite({ audit: false, turns }, async (site) => {
    const directory = join(site.directory, 'm');
    const guestDirectories = [bootDirectory];
    const host = await startHost({ name: MACHINE, directory, lifetime: 'parent', guestDirectories });
    try {
      const daemonPid = await turns.during('Start', async () => startUsher(site, host, bootDirectory));
      return await measure({ site, host, daemonPid });
    } finally {
      await site.stopUsher();
      await stopHost(host);
    }
  });
}

async function startUsher(site: BenchSite, host: HypervisorHost, bootDirectory: string): Promise<number> {
  const { controlPlane, programs, directory } = site;
  await site.startOperator();
  const running = { controlPlane, programs, directory, lifetime: 'parent', heartbeatSeconds: 10 } as const;
  await startNodeDaemon({ ...running, virtualization: 'qemu' }, { kind: 'qemu', name: MACHINE, host, bootDirectory });
  await site.untilOpen(1);
  const spec = { overcommit: OVERCOMMIT };
  await site.user.mergePatch(hypervisorResource, { name: MACHINE }, { spec });
  await until('the daemon has taken up the overcommit', 30, async () => {
    const { status } = await site.user.get(hypervisorResource, { name: MACHINE });
    const { capacity, allocatable } = status ?? {};
    return allocatable !== undefined && capacity !== undefined && allocatable.cpus > capacity.cpus;
  });
  const pid = programs.pids()[`node-daemon-${MACHINE}`];
  if (pid === undefined) throw new Error(`the daemon of ${MACHINE} does not run`);
  return pid;
}
