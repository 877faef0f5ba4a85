// What really runs on the machines of a site, and how often it was started: from process lists and libvirt's own files.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type HypervisorHost, inside } from '#hack/hypervisor-host/host.ts';
import type { Site } from '#hack/site/site.ts';
import { until } from '#hack/until.ts';
import { PROBE_NAME_PREFIX } from '#node-daemon/hypervisor/libvirt/node/probe-guest.ts';
import { domainOf, domainsOn, hostOf } from '../../site/guests.ts';

/** One QEMU process. */
export interface Guest {
  readonly vm: string;
  readonly machine: string;
  readonly pid: number;
  /** Whether libvirt had finished to start it. */
  readonly isUp: boolean;
}

/** The QEMU processes of these VMs, by the name of the VM. */
export async function guestsOf(site: Site, vms: readonly string[]): Promise<Guest[]> {
  const all = await Promise.all(hostsOf(site).map(async (host) => guestsOn(host, vms)));
  return all.flat().toSorted((one, other) => one.vm.localeCompare(other.vm));
}

async function guestsOn(host: HypervisorHost, vms: readonly string[]): Promise<Guest[]> {
  const lines = (await inside(host, 'ps', '-e', '-ww', '-o', 'pid=,args=')).split('\n');
  const found = lines.flatMap((line) => {
    const [, pid, domain] = /^ *(\d+) \S*qemu-system-\S+ .*guest=([^, ]+)/.exec(line) ?? [];
    const vm = vms.find((name) => domainOf(name) === domain);
    return vm === undefined ? [] : [{ vm, pid: Number(pid) }];
  });
  return Promise.all(found.map(async ({ vm, pid }) => ({ vm, machine: host.name, pid, isUp: await isUp(host, vm) })));
}

/** By the file from which libvirt itself learns, when it comes back, what ran. */
async function isUp({ directory }: HypervisorHost, vm: string): Promise<boolean> {
  const text = await readFile(join(directory, 'run/qemu', `${domainOf(vm)}.xml`), 'utf8').catch(() => '');
  return text.includes("<domstatus state='running'");
}

/** How often libvirt started a process for each of them, on all machines together. */
export async function startsOf(site: Site, vms: readonly string[]): Promise<Record<string, number>> {
  const starts = vms.map(async (vm) => {
    const logs = await Promise.all(hostsOf(site).map(async (host) => libvirtLog(host, vm)));
    return [vm, logs.join('').match(/: starting up libvirt version: /g)?.length ?? 0] as const;
  });
  return Object.fromEntries(await Promise.all(starts));
}

/** libvirt keeps it when the domain is undefined. */
async function libvirtLog({ directory }: HypervisorHost, vm: string): Promise<string> {
  return readFile(join(directory, 'log/qemu', `${domainOf(vm)}.log`), 'utf8').catch(() => '');
}

/** The domains of all machines, running or not. */
export async function allDomains(site: Site): Promise<string[]> {
  let names: string[] = [];
  await until('the daemons have done with their probes', 60, async () => {
    names = (await Promise.all(hostsOf(site).map(domainsOn))).flat().toSorted();
    return !names.some((name) => name.startsWith(PROBE_NAME_PREFIX));
  });
  return names;
}

function hostsOf(site: Site): HypervisorHost[] {
  return site.machines.map(({ name }) => hostOf(site, name));
}
