// What the node daemon costs on a machine with fifty real guests. They halt, so that what is measured is what it costs to
// have them, and not what they do. Usher may run 16 to a CPU there; where that is less than fifty, the others are
// started by hand: the daemon then lists, counts and reports on fifty domains, and holds fewer VMs.
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hypervisorResource, virtualMachineResource } from '#crds/v1alpha1/kinds.ts';
import type { VirtualMachineSpec } from '#crds/v1alpha1/virtual-machine-spec.ts';
import { temporaryDirectory } from '#hack/control-plane/directory.ts';
import { type HypervisorHost, virsh } from '#hack/hypervisor-host/host.ts';
import type { Found } from './figures.ts';
import { HALTING_KERNEL, writeHaltingKernel } from './halting-kernel.ts';
import { withMachineWatch } from './machine-watch.ts';
import { atATime, machine, NAMESPACE, namesOf } from './machines.ts';
import { restingCost } from './process-cost.ts';
import { MACHINE, type RealMachine, withRealMachine } from './real-machine.ts';
import type { Turns } from './turns.ts';

const GUESTS = 50;
/** By then the usage of each guest was written. */
const SETTLE_MS = 90_000;
/** Without a network card: one that never gets an address would be asked for three minutes. */
const HALTING: Partial<VirtualMachineSpec> = {
  resources: { cpus: 1, memory: '16Mi' },
  boot: { kernel: { image: HALTING_KERNEL } },
  interfaces: [],
};

export async function measureDaemon(turns: Turns): Promise<Found> {
  const bootDirectory = join(await temporaryDirectory(), 'boot');
  await writeHaltingKernel(bootDirectory);
  return withRealMachine(turns, bootDirectory, async (real) => {
    const names = await turns.during('Load', async () => startAll(real));
    const { cpuPercent, resident } = await restingCost(turns, real.daemonPid, SETTLE_MS);
    return {
      daemon_rss_mb_50: resident,
      daemon_cpu_percent_idle_50: cpuPercent,
      daemon_managed_of_50: names.length,
    };
  });
}

/** Gives the names of the VMs. */
async function startAll(real: RealMachine): Promise<string[]> {
  const names = await startOurs(real);
  await startOthers(real.host, `${NAMESPACE}.${names[0]}`, GUESTS - names.length);
  return names;
}

/** As many as fit. */
async function startOurs({ site }: RealMachine): Promise<string[]> {
  const { status } = await site.user.get(hypervisorResource, { name: MACHINE });
  const names = namesOf('vm', Math.min(GUESTS, status?.allocatable?.cpus ?? 0));
  return withMachineWatch(site.user, async (watch) => {
    await atATime(names, async (name) => site.user.create(virtualMachineResource, machine(name, HALTING)));
    await watch.untilRunning(names, 300);
    return names;
  });
}

/** Like one of ours, and nobody's. */
async function startOthers(host: HypervisorHost, like: string, count: number): Promise<void> {
  const xml = await virsh(host, 'dumpxml', '--inactive', like);
  for (const name of namesOf('other', count)) {
    const file = join(host.directory, `${name}.xml`);
    await writeFile(file, anonymous(xml, name));
    await virsh(host, 'create', file);
  }
}

function anonymous(xml: string, name: string): string {
  return xml
    .replace(/<metadata>[^]*<\/metadata>/, '')
    .replace(/<name>[^<]*<\/name>/, `<name>${name}</name>`)
    .replace(/<uuid>[^<]*<\/uuid>/, `<uuid>${randomUUID()}</uuid>`);
}
