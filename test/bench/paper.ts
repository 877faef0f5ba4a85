// The load of the paper of 2007: 142 VMs held on 25 nodes, and what the operator costs while 75 of them run.
import { setTimeout as delay } from 'node:timers/promises';
import type { Found } from './figures.ts';
import { MachineWatch } from './machine-watch.ts';
import { createAtOnce, namesOf } from './machines.ts';
import { processCost } from './process-cost.ts';
import { type BenchSite, withSite } from './site.ts';

const NODES = 25;
const HELD = 142;
const MEASURED = 75;
const MINUTE_MS = 60_000;

export async function measurePaper(): Promise<Found> {
  return withSite({ audit: false }, async (site) => {
    await site.startUsher(NODES);
    const watch = await new MachineWatch(site.user).start();
    try {
      const names = namesOf('vm', HELD);
      const first = names.slice(0, MEASURED);
      await createAtOnce(site.user, first);
      await watch.untilRunning(first, 60);
      const cost = await costAtRest(site);
      await createAtOnce(site.user, names.slice(MEASURED));
      await watch.untilRunning(names, 60);
      return { ...cost, vms_held_on_25_nodes: names.length };
    } finally {
      await watch.stop();
    }
  });
}

/** Over a minute, after a minute to settle. */
async function costAtRest(site: BenchSite): Promise<Found> {
  const pid = site.pidOf('operator');
  await delay(MINUTE_MS);
  const before = await processCost(pid);
  await delay(MINUTE_MS);
  const after = await processCost(pid);
  const busyMs = 1000 * (after.cpuSeconds - before.cpuSeconds);
  return { operator_cpu_percent_75: (100 * busyMs) / MINUTE_MS, operator_rss_mb_75: after.resident };
}
