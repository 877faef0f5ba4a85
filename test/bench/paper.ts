// The load of the paper of 2007: 142 VMs held on 25 nodes, and what the operator costs while 75 of them run.
import type { Found } from './figures.ts';
import { type MachineWatch, withMachineWatch } from './machine-watch.ts';
import { createAtOnce, namesOf } from './machines.ts';
import { restingCost } from './process-cost.ts';
import { type BenchSite, withSite } from './site.ts';

const NODES = 25;
const HELD = 142;
const MEASURED = 75;
const SETTLE_MS = 60_000;

export async function measurePaper(): Promise<Found> {
  return withSite({ audit: false }, async (site) => {
    await site.startUsher(NODES);
    return withMachineWatch(site.user, async (watch) => hold(site, watch));
  });
}

async function hold(site: BenchSite, watch: MachineWatch): Promise<Found> {
  const names = namesOf('vm', HELD);
  const first = names.slice(0, MEASURED);
  await createAtOnce(site.user, first);
  await watch.untilRunning(first, 60);
  const { cpuPercent, resident } = await restingCost(site.pidOf('operator'), SETTLE_MS);
  await createAtOnce(site.user, names.slice(MEASURED));
  await watch.untilRunning(names, 60);
  return {
    operator_cpu_percent_75: cpuPercent,
    operator_rss_mb_75: resident,
    vms_held_on_25_nodes: names.length,
  };
}
