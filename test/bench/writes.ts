// What Usher writes to the API server for a VM, counted in the server's audit log: every create, update, patch and delete
// of the operator and the daemons, of any kind, refused ones and Events too. Leases and access reviews apart.
import { setTimeout as delay } from 'node:timers/promises';
import type { Hypervisor } from '#crds/v1alpha1/hypervisor.ts';
import { virtualMachineResource } from '#crds/v1alpha1/kinds.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import { type Asked, askedByUsher, isWrite } from '../site/audit-log.ts';
import { Chronicle } from '../site/chronicle.ts';
import { type CountedSite, countWrites } from '../site/write-count.ts';
import type { Found } from './figures.ts';
import { type MachineWatch, withMachineWatch } from './machine-watch.ts';
import { machine, namesOf, removeAtOnce } from './machines.ts';
import { type BenchSite, withSite } from './site.ts';
import type { Turns } from './turns.ts';

/** One VM on each. */
const NODES = 100;
const VMS = NODES;
const EVERY_MS = 100;
/** Hypervisors tell a moment later what they hold. */
const AFTERMATH_MS = 10_000;
/** The first usage of each guest is written within a minute. */
const FIRST_USAGE_MS = 75_000;
const IDLE_MS = 90_000;
const HOUR_MS = 3_600_000;

export async function measureWrites(turns: Turns): Promise<Found> {
  return withSite({ audit: true, turns }, async (site) => {
    await turns.during('Start', async () => site.startUsher(NODES));
    await delay(AFTERMATH_MS);
    const api = '/apis/usher.dev/v1alpha1';
    const machines = new Chronicle<VirtualMachine>(site.controlPlane.access, `${api}/virtualmachines`);
    const hypervisors = new Chronicle<Hypervisor>(site.controlPlane.access, `${api}/hypervisors`);
    machines.follow();
    hypervisors.follow();
    const tally = new Tally(turns, site, { machines, hypervisors });
    try {
      return await withMachineWatch(site.user, async (watch) => life(site, watch, tally));
    } finally {
      await Promise.all([machines.stop(), hypervisors.stop()]);
    }
  });
}

async function life(site: BenchSite, watch: MachineWatch, tally: Tally): Promise<Found> {
  const names = namesOf('vm', VMS);
  const creation = await tally.ofLoad(async () => {
    for (const name of names) {
      await Promise.all([site.user.create(virtualMachineResource, machine(name)), delay(EVERY_MS)]);
    }
    await watch.untilRunning(names, 60);
  });
  const first = await tally.during(async () => delay(FIRST_USAGE_MS));
  const idle = await tally.during(async () => delay(IDLE_MS));
  const removal = await tally.ofLoad(async () => {
    await removeAtOnce(site.user, names);
    await watch.untilGone(names, 120);
  });
  const perHour = HOUR_MS / IDLE_MS / VMS;
  return {
    writes_per_vm_create: creation.others.length / VMS,
    vm_writes_per_vm_create: aboutMachines(creation) / VMS,
    writes_per_vm_life: (creation.others.length + removal.others.length) / VMS,
    vm_writes_per_vm_life: (aboutMachines(creation) + aboutMachines(removal)) / VMS,
    writes_per_vm_hour_idle: idle.others.length * perHour,
    usage_writes_per_vm_hour: idle.usageOfMachines * perHour,
    usage_writes_per_hypervisor_hour: idle.usageOfHypervisors * perHour,
    first_usage_writes_per_vm: (creation.usageOfMachines + first.usageOfMachines) / VMS,
  };
}

interface Count {
  readonly usageOfMachines: number;
  readonly usageOfHypervisors: number;
  readonly others: readonly Asked[];
}

function aboutMachines({ others }: Count): number {
  return others.length - aboutHypervisors(others);
}

function aboutHypervisors(writes: readonly Asked[]): number {
  return writes.filter(({ resource }) => resource.startsWith('hypervisors')).length;
}

class Tally {
  readonly #turns: Turns;
  readonly #counted: CountedSite;

  constructor(turns: Turns, site: BenchSite, user: CountedSite['user']) {
    this.#turns = turns;
    this.#counted = { site, user };
  }

  /** And of what follows from it. */
  async ofLoad(act: () => Promise<unknown>): Promise<Count> {
    return this.during(async () => {
      await this.#turns.during('Load', act);
      await delay(AFTERMATH_MS);
    });
  }

  async during(act: () => Promise<unknown>): Promise<Count> {
    const { controlPlane } = this.#counted.site;
    const before = (await askedByUsher(controlPlane)).length;
    const count = await countWrites(this.#counted);
    await act();
    const others = await count();
    const all = (await askedByUsher(controlPlane)).slice(before).filter(isWrite);
    const usageOfHypervisors = aboutHypervisors(all) - aboutHypervisors(others);
    return { others, usageOfHypervisors, usageOfMachines: all.length - others.length - usageOfHypervisors };
  }
}
