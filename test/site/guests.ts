// Real guests from outside: their serial consoles, their processes, and what libvirt has of them.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type HypervisorHost, virsh } from '#hack/hypervisor-host/host.ts';
import type { Site } from '#hack/site/site.ts';
import { until } from '#hack/until.ts';

/** The machine of that name, which is a real one. */
export function hostOf({ machines }: Site, name: string): HypervisorHost {
  const machine = machines.find((candidate) => candidate.name === name);
  if (machine?.kind !== 'qemu') throw new Error(`${name}: no such machine with a real hypervisor`);
  return machine.host;
}

/** As Usher names the domain of a VM in the namespace `default`. */
export function domainOf(vm: string): string {
  return `default.${vm}`;
}

/** What the guest said of itself, one line each, over all its boots. */
export async function saidBy(host: HypervisorHost, vm: string): Promise<string[]> {
  const text = await readFile(join(host.consoleDirectory, `${domainOf(vm)}.log`), 'utf8').catch(() => '');
  return text.split(/\r?\n/).flatMap((line) => /usher guest: (.*)/.exec(line)?.[1] ?? []);
}

/** Waits until the guest has said so many lines that match; gives back the last one. */
export async function untilSaid(
  host: HypervisorHost,
  vm: string,
  words: RegExp,
  { times = 1, seconds = 90 } = {},
): Promise<string> {
  let matching: string[] = [];
  await until(`${vm} says ${words} on its console`, seconds, async () => {
    matching = (await saidBy(host, vm)).filter((line) => words.test(line));
    return matching.length >= times;
  });
  return matching.at(-1) ?? '';
}

/** What a guest with `usher.count` has counted, over all its boots. */
export async function countsOf(host: HypervisorHost, vm: string): Promise<number[]> {
  return (await saidBy(host, vm)).flatMap((line) => {
    const [, number] = /^count (\d+)$/.exec(line) ?? [];
    return number === undefined ? [] : [Number(number)];
  });
}

export async function bootsOf(host: HypervisorHost, vm: string): Promise<number> {
  return (await saidBy(host, vm)).filter((line) => line.startsWith('up after')).length;
}

/** All domains of the machine, running or not. */
export async function domainsOn(host: HypervisorHost): Promise<string[]> {
  const names = await virsh(host, 'list', '--all', '--name');
  return names.split('\n').filter((name) => name !== '');
}

/** Of the domain: "running", "paused", "shut off". */
export async function libvirtStateOf(host: HypervisorHost, vm: string): Promise<string> {
  return virsh(host, 'domstate', domainOf(vm));
}
