// How fast VMs come to run, and how fast a bare client writes the same: before, Usher, after. Both have an API server of
// their own, and while one is measured the other has nothing to do.

import { setTimeout as delay } from 'node:timers/promises';
import { virtualMachineResource } from '#crds/v1alpha1/kinds.ts';
import { until } from '#hack/until.ts';
import type { KubeStore } from '#runtime/kube/store.ts';
import { BareClient, type Chain, chainOf } from './bare-client.ts';
import type { Found } from './figures.ts';
import { type MachineWatch, withMachineWatch } from './machine-watch.ts';
import { atATime, createAtOnce, machine, namesOf } from './machines.ts';
import { processCost } from './process-cost.ts';
import { type BenchSite, withSite } from './site.ts';
import { mean, percentile } from './statistics.ts';
import type { Turns } from './turns.ts';

const NODES = 100;
const BURST = 1000;
const BURST_SECONDS = 300;
/** KubeVirt's own load: https://github.com/kubevirt/kubevirt/blob/main/docs/perf-scale-benchmarks.md */
const SPACED = { count: 100, everyMs: 100 };
const SAMPLE = 'sample';

interface Speed {
  readonly vmsPerSecond: number;
  /** From create to Running, ms. */
  readonly latencies: readonly number[];
}

export async function measureSpeed(turns: Turns): Promise<Found> {
  const options = { audit: false, turns };
  return withSite(options, (usher) => withSite(options, async (bare) => compare(usher, bare)));
}

async function compare(usher: BenchSite, bare: BenchSite): Promise<Found> {
  await bare.startUsher(1);
  const chain = await sample(bare.user);
  await bare.stopUsher();
  const client = await BareClient.for(bare, chain);
  const before = await bareSpeed(bare.user, client, 'before');
  await usher.startUsher(NODES);
  await untilQuiet(usher);
  const { cpu, ...ours } = await usherSpeed(usher);
  await usher.stopUsher();
  const after = await bareSpeed(bare.user, client, 'after');
  return { ...figures(ours, before, after), ...cpu };
}

function figures(ours: Speed, before: Speed, after: Speed): Found {
  const rates = [before.vmsPerSecond, after.vmsPerSecond];
  const bareP95 = mean([percentile(before.latencies, 95), percentile(after.latencies, 95)]);
  const p95 = percentile(ours.latencies, 95);
  return {
    burst_vms_per_second: ours.vmsPerSecond,
    bare_chain_vms_per_second: mean(rates),
    bare_chain_spread: (100 * Math.abs(before.vmsPerSecond - after.vmsPerSecond)) / mean(rates),
    burst_over_bare_chain: ours.vmsPerSecond / mean(rates),
    p50_create_to_running: percentile(ours.latencies, 50),
    p95_create_to_running: p95,
    bare_chain_p50: mean([percentile(before.latencies, 50), percentile(after.latencies, 50)]),
    bare_chain_p95: bareP95,
    p95_create_to_running_over_bare_chain: p95 / bareP95,
  };
}

/** The writes of one VM, for the bare client to imitate. */
async function sample(user: KubeStore): Promise<Chain> {
  return withMachineWatch(
    user,
    async (watch) => {
      await user.create(virtualMachineResource, machine(SAMPLE));
      await watch.untilRunning([SAMPLE], 30);
      return chainOf(watch.versions(SAMPLE));
    },
    SAMPLE,
  );
}

async function bareSpeed(user: KubeStore, client: BareClient, when: string): Promise<Speed> {
  return withMachineWatch(user, async (watch) => {
    const latencies = await spaced(watch, `${when}-spaced`, async (name) => client.run(name));
    const vmsPerSecond = await burst(watch, `${when}-burst`, async (names) =>
      atATime(names, async (name) => client.run(name)),
    );
    return { vmsPerSecond, latencies };
  });
}

/** The spaced ones come first: by the time of the burst everything has run a hundred times. */
async function usherSpeed(site: BenchSite): Promise<Speed & { readonly cpu: Found }> {
  const { user } = site;
  return withMachineWatch(user, async (watch) => {
    const latencies = await spaced(watch, 'spaced', async (name) => user.create(virtualMachineResource, machine(name)));
    await untilQuiet(site);
    const before = await cpuSeconds(site);
    const vmsPerSecond = await burst(watch, 'burst', async (names) => createAtOnce(user, names));
    const after = await cpuSeconds(site);
    return { vmsPerSecond, latencies, cpu: perMachine(before, after) };
  });
}

/** From the moment each is sent until the watch shows it Running. */
async function spaced(watch: MachineWatch, prefix: string, start: (name: string) => Promise<unknown>) {
  const names = namesOf(prefix, SPACED.count);
  const begun: number[] = [];
  const started: Promise<unknown>[] = [];
  const first = performance.now();
  for (const [index, name] of names.entries()) {
    await delay(Math.max(0, first + index * SPACED.everyMs - performance.now()));
    begun.push(performance.now());
    started.push(start(name));
  }
  await Promise.all(started);
  const running = await watch.untilRunning(names, 300);
  return running.map((at, index) => at - (begun[index] ?? 0));
}

/** VMs per second, from the first request until the watch shows the last one Running. */
async function burst(watch: MachineWatch, prefix: string, start: (names: string[]) => Promise<void>): Promise<number> {
  const names = namesOf(prefix, BURST);
  const began = performance.now();
  await start(names);
  const running = await watch.untilRunning(names, BURST_SECONDS);
  return (1000 * BURST) / (Math.max(...running) - began);
}

interface CpuSeconds {
  readonly operator: number;
  readonly daemons: number;
  readonly api: number;
}

async function cpuSeconds(site: BenchSite): Promise<CpuSeconds> {
  const of = async (...programs: Parameters<BenchSite['pidOf']>) =>
    (await processCost(site.pidOf(...programs))).cpuSeconds;
  const [operator, daemons, server, etcd] = await Promise.all([
    of('operator'),
    of('simulated-nodes'),
    of('kube-apiserver'),
    of('etcd'),
  ]);
  return { operator, daemons, api: server + etcd };
}

function perMachine(before: CpuSeconds, after: CpuSeconds): Found {
  const each = (part: keyof CpuSeconds) => (1000 * (after[part] - before[part])) / BURST;
  return {
    operator_cpu_ms_per_vm: each('operator'),
    // On a machine that others use, all CPU times are longer; this is not.
    operator_cpu_over_api_server_cpu: each('operator') / each('api'),
    daemons_cpu_ms_per_vm: each('daemons'),
    api_server_cpu_ms_per_vm: each('api'),
  };
}

/** Once hypervisors have said what they hold, and the first usage was written, the operator has little to do. */
async function untilQuiet(site: BenchSite): Promise<void> {
  let last = await cpuSeconds(site);
  await until('the operator rests', 60, async () => {
    await delay(2_000);
    const now = await cpuSeconds(site);
    const rests = now.operator - last.operator < 0.1;
    last = now;
    return rests;
  });
}
