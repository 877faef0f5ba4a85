// What the operator takes of memory as the number of VMs grows, each time a minute after the last of them runs.
import { setTimeout as delay } from 'node:timers/promises';
import type { Found } from './figures.ts';
import { withMachineWatch } from './machine-watch.ts';
import { createAtOnce, namesOf } from './machines.ts';
import { processCost } from './process-cost.ts';
import { type BenchSite, withSite } from './site.ts';

const NODES = 100;
const SETTLE_MS = 60_000;
const FILL_SECONDS = 1800;

export async function measureMemory(): Promise<Found> {
  return withSite({ audit: false }, async (site) => {
    await site.startUsher(NODES);
    const empty = await settled(site);
    const names = namesOf('vm', 10_000);
    await fill(site, names.slice(0, 1000));
    const thousand = await settled(site);
    await fill(site, names.slice(1000));
    return {
      operator_rss_mb_empty: empty,
      operator_rss_mb_1000: thousand,
      operator_rss_mb_10000: await settled(site),
    };
  });
}

async function fill(site: BenchSite, names: readonly string[]): Promise<void> {
  await withMachineWatch(site.user, async (watch) => {
    await createAtOnce(site.user, names);
    await watch.untilRunning(names, FILL_SECONDS);
  });
}

async function settled(site: BenchSite): Promise<number> {
  await delay(SETTLE_MS);
  return (await processCost(site.pidOf('operator'))).resident;
}
