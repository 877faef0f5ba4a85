// How soon it is told that a guest has ended, where its hypervisor calls back: from kill -9 of its QEMU process until a
// watch shows it in the status of its VM.
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { virtualMachineResource } from '#crds/v1alpha1/kinds.ts';
import type { VirtualMachineSpec } from '#crds/v1alpha1/virtual-machine-spec.ts';
import { temporaryDirectory } from '#hack/control-plane/directory.ts';
import { signalGuest } from '#hack/hypervisor-host/faults.ts';
import type { Found } from './figures.ts';
import { HALTING_KERNEL, writeHaltingKernel } from './halting-kernel.ts';
import { withMachineWatch } from './machine-watch.ts';
import { atATime, machine, NAMESPACE, namesOf } from './machines.ts';
import { withRealMachine } from './real-machine.ts';
import { percentile } from './statistics.ts';
import type { Turns } from './turns.ts';

const GUESTS = 20;
/** Between two of them: each is told alone. */
const EVERY_MS = 500;
/** They stay as they are: what follows an end is another question. */
const HALTING: Partial<VirtualMachineSpec> = {
  resources: { cpus: 1, memory: '16Mi' },
  boot: { kernel: { image: HALTING_KERNEL } },
  interfaces: [],
  restartPolicy: 'Never',
};

export async function measureEnds(turns: Turns): Promise<Found> {
  const bootDirectory = join(await temporaryDirectory(), 'boot');
  await writeHaltingKernel(bootDirectory);
  return withRealMachine(turns, bootDirectory, async ({ site, host }) => {
    const names = namesOf('end', GUESTS);
    return withMachineWatch(site.user, async (watch) => {
      await atATime(names, async (name) => site.user.create(virtualMachineResource, machine(name, HALTING)));
      await watch.untilRunning(names, 300);
      const took: number[] = [];
      for (const name of names) {
        await delay(EVERY_MS);
        const killed = performance.now();
        await signalGuest(host, `${NAMESPACE}.${name}`, 'KILL');
        took.push((await watch.untilCrashed(name, 60)) - killed);
      }
      return { p50_kill_to_status: percentile(took, 50), p95_kill_to_status: percentile(took, 95) };
    });
  });
}
