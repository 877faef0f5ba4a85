// The load of the paper of 2007: 142 VMs held on 25 nodes, and what the operator costs while 75 of them run.
import type { Found } from './figures.ts';
import { type MachineWatch, withMachineWatch } from './machine-watch.ts';
import { createAtOnce, namesOf } from './machines.ts';
import { restingCost } from './process-cost.ts';
import { type BenchSite, withSite } from './site.ts';
import type { Turns } from './turns.ts';

const NODES = 25;
const HELD = 142;
const MEASURED = 75;
const SETTLE_MS = 60_000;

export async function measurePaper(turns: Turns): Promise<Found> {
  return withSite({ audit: false, turns }, async (site) => {
    await turns.during('Start', async () => site.startUsher(NODES));
    return withMachineWatch(site.user, async (watch) => hold(turns, site, watch));
  });
}

async function hold(turns: Turns, site: BenchSite, watch: MachineWatch): Promise<Found> {
  const names = namesOf('vm', HELD);
  const first = names.slice(0, MEASURED);
  const run = async (some: readonly string[]): Promise<void> => {
    await createAtOnce(site.user, some);
    await watch.untilRunning(some, 60);
  };
  await turns.during('Load', async () => run(first));
  const { cpuPercent, resident } = await restingCost(turns, site.pidOf('operator'), SETTLE_MS);
  await turns.during('Load', async () => run(names.slice(MEASURED)));
  return {
    operator_cpu_percent_75: cpuPercent,
    operator_rss_mb_75: resident,
    vms_held_on_25_nodes: names.length,
  };
}
