// What a site costs: `node test/bench/simulated-site.ts [VMs]`. The control plane, the operator and two daemons are
// processes as they are shipped; the guests are simulated, so that only Usher's own cost is seen.
import { setTimeout as delay } from 'node:timers/promises';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import { apiRequest } from '#hack/control-plane/api-request.ts';
import { temporaryDirectory } from '#hack/control-plane/directory.ts';
import { until } from '#hack/hypervisor-host/command.ts';
import { kubectl } from '#hack/site/install.ts';
import { startSite } from '#hack/site/site.ts';
import { type Asked, askedByUsher, isWrite } from '../site/audit-log.ts';
import { guest } from '../site/manifest.ts';
import { type ProcessCost, processCost } from './process-cost.ts';

const MACHINES = ['hv1', 'hv2'];
const REST_SECONDS = 60;
const CREATED_AT_A_TIME = 8;
const VMS = '/apis/usher.dev/v1alpha1/namespaces/default/virtualmachines';

const count = Number(process.argv[2] ?? 100);
if (!Number.isInteger(count) || count < 1 || count > 1000) throw new RangeError('say how many VMs, from 1 to 1000');
const directory = await temporaryDirectory();
const site = await startSite({
  directory,
  machineDirectory: directory,
  machineNames: MACHINES,
  hypervisor: 'simulated',
  lifetime: 'parent',
  announce: say,
});
try {
  await makeRoom();
  const empty = await costs();
  const seconds = await start();
  const writes = (await written()).filter(({ resource }) => resource === 'virtualmachines/status').length;
  const usage = (await listed()).filter(({ status }) => status?.usage !== undefined).length;
  // The usage of every guest is written once at first: by each daemon at most 30 times a minute.
  say(`Waiting ${REST_SECONDS + count} s for rest, then measuring for ${REST_SECONDS} s`);
  await delay((REST_SECONDS + count) * 1000);
  const [before, asked] = [await costs(), (await written()).length];
  await delay(REST_SECONDS * 1000);
  const after = await costs();
  process.stdout.write(`${table(empty, before, after)}\n\n`);
  say(
    `${count} VMs Running ${seconds.toFixed(1)} s after the first was asked for, with ${(writes - usage) / count} writes each, usage apart`,
  );
  say(`In the ${REST_SECONDS} s at rest: ${resources((await written()).slice(asked))}`);
} finally {
  await site.stop();
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** A simulated machine has 64 CPUs; this makes 1,024 of them. */
async function makeRoom(): Promise<void> {
  const { controlPlane } = site;
  const spec = { overcommit: { cpuPercent: 1600, memoryPercent: 100 } };
  for (const name of MACHINES) {
    await kubectl(controlPlane, 'wait', '--for=create', '--timeout=60s', `hypervisor/${name}`);
    await kubectl(controlPlane, 'wait', '--for=condition=Schedulable', '--timeout=60s', 'uhv', name);
    await kubectl(controlPlane, 'patch', 'uhv', name, '--type=merge', `--patch=${JSON.stringify({ spec })}`);
    await kubectl(controlPlane, 'wait', '--for=jsonpath={.status.allocatable.cpus}=1024', '--timeout=60s', 'uhv', name);
  }
  // A new API server takes some seconds to put admission policies in force.
  await delay(10_000);
}

/** Seconds until all are ready. */
async function start(): Promise<number> {
  const began = performance.now();
  const names = Array.from({ length: count }, (_, index) => `vm-${index + 1}`);
  const creators = Array.from({ length: CREATED_AT_A_TIME }, async () => {
    for (let name = names.pop(); name !== undefined; name = names.pop()) {
      await apiRequest(site.controlPlane.access, { method: 'POST', path: VMS, body: guest(name) });
    }
  });
  await Promise.all(creators);
  await until('all VMs run', 600, async () => (await listed('status.phase=Running')).length === count);
  return (performance.now() - began) / 1000;
}

async function listed(fieldSelector = ''): Promise<VirtualMachine[]> {
  const path = `${VMS}?fieldSelector=${encodeURIComponent(fieldSelector)}`;
  const list = await apiRequest<{ items: VirtualMachine[] }>(site.controlPlane.access, { method: 'GET', path });
  return list.items;
}

type Costs = Readonly<Record<string, ProcessCost>>;

async function costs(): Promise<Costs> {
  const pids = Object.entries(site.programs.pids());
  return Object.fromEntries(await Promise.all(pids.map(async ([name, pid]) => [name, await processCost(pid)])));
}

/** About VirtualMachines and Hypervisors, Leases apart. */
async function written(): Promise<Asked[]> {
  return (await askedByUsher(site.controlPlane)).filter(isWrite);
}

function table(empty: Costs, before: Costs, after: Costs): string {
  const rows = Object.entries(after).map(([name, { resident, own, cpuSeconds }]) => {
    const busy = (100 * (cpuSeconds - (before[name]?.cpuSeconds ?? 0))) / REST_SECONDS;
    const idle = empty[name];
    return `| ${name} | ${idle?.resident} (${idle?.own}) | ${resident} (${own}) | ${busy.toFixed(1)} % |`;
  });
  const heads = `| process | MiB, no VM | MiB, ${count} VMs | CPU at rest |\n| --- | --- | --- | --- |`;
  return [heads, ...rows].join('\n');
}

function resources(requests: readonly Asked[]): string {
  const groups = Object.entries(Object.groupBy(requests, ({ resource }) => resource));
  return groups.map(([resource, all]) => `${all?.length} writes of ${resource}`).join(', ') || 'no write';
}
