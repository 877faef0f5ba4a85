// What the operator takes of memory as the number of VMs grows, each time a minute after the last of them runs. A thousand
// it brings to run itself; of the other nine thousand, which run when it hears of them, see copies.ts.
import { setTimeout as delay } from 'node:timers/promises';
import { virtualMachineResource } from '#crds/v1alpha1/kinds.ts';
import { listAll } from '#runtime/reflector/list.ts';
import { addCopies } from './copies.ts';
import type { Found } from './figures.ts';
import { withMachineWatch } from './machine-watch.ts';
import { createAtOnce, namesOf } from './machines.ts';
import { processCost } from './process-cost.ts';
import { type BenchSite, withSite } from './site.ts';
import { whileHeard } from './stand-ins.ts';
import type { Turns } from './turns.ts';

const NODES = 100;
const CREATED = 1000;
const HELD = 10_000;
const SETTLE_MS = 60_000;
const FILL_SECONDS = 300;

export async function measureMemory(turns: Turns): Promise<Found> {
  return withSite({ audit: false, turns }, async (site) => {
    await turns.during('Start', async () => site.startUsher(NODES));
    const empty = await settled(site);
    const names = namesOf('vm', HELD);
    await turns.during('Load', async () => create(site, names.slice(0, CREATED)));
    const thousand = await settled(site);
    // They would miss the guests of the copies.
    await site.programs.kill('simulated-nodes');
    const tenThousand = await whileHeard(site, async () => {
      await turns.during('Load', async () => copy(site, names.slice(CREATED)));
      return settled(site);
    });
    await checkAllRun(site);
    return { operator_rss_mb_empty: empty, operator_rss_mb_1000: thousand, operator_rss_mb_10000: tenThousand };
  });
}

async function create(site: BenchSite, names: readonly string[]): Promise<void> {
  await withMachineWatch(site.user, async (watch) => {
    await createAtOnce(site.user, names);
    await watch.untilRunning(names, FILL_SECONDS);
  });
}

async function copy(site: BenchSite, names: readonly string[]): Promise<void> {
  await withMachineWatch(site.user, async (watch) => {
    await addCopies(site.controlPlane, names);
    await watch.untilRunning(names, FILL_SECONDS);
  });
}

async function settled(site: BenchSite): Promise<number> {
  await delay(SETTLE_MS);
  return (await processCost(site.pidOf('operator'))).resident;
}

/** If the operator had lost sight of them it would have held something else than was to be measured. */
async function checkAllRun({ user }: BenchSite): Promise<void> {
  const request = { store: user, type: virtualMachineResource, selection: {}, keepsAnnotation: () => false };
  const { objects } = await listAll(request, AbortSignal.timeout(60_000));
  const running = objects.filter(({ status }) => status?.phase === 'Running').length;
  if (running !== HELD) throw new Error(`${running} of ${HELD} VMs were running at the end`);
}
