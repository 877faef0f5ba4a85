// The chapters of the demo.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { kubectl as ask } from '../control-plane/kubectl.ts';
import { signalGuest } from '../hypervisor-host/faults.ts';
import { REPOSITORY } from '../repository.ts';
import type { Machine } from '../site/machines.ts';
import type { Site } from '../site/site.ts';
import { heading, indented, type Kubectl, say } from './terminal.ts';

const run = promisify(execFile);
const EXAMPLES = ['examples/first-vm.yaml', 'examples/two-more.yaml'];
const VICTIM = 'web-2';
const VMS_PER_CPU = 8;

/** The hypervisors open, and the examples become guests that run and have addresses. */
export async function runGuests(site: Site, kubectl: Kubectl): Promise<void> {
  for (const hypervisor of hypervisorsOf(site)) {
    await demand(kubectl, 'it did not register', ...waitFor('create'), hypervisor);
  }
  await demand(kubectl, 'the hypervisors did not become ready', ...waitFor('condition=Ready'), ...hypervisorsOf(site));
  await demand(kubectl, 'they were not opened for VMs', ...waitFor('condition=Schedulable'), ...hypervisorsOf(site));
  await makeRoom(site, kubectl);
  await kubectl.show('get', 'uhv');
  heading('Three VirtualMachines become running guests');
  await policiesInForce(kubectl);
  await kubectl.show('apply', ...EXAMPLES.flatMap((file) => ['-f', join(REPOSITORY, file)]));
  await kubectl.watching(['get', 'uvm', '--watch'], async () => {
    await demand(kubectl, 'the VMs did not become ready', ...waitFor('condition=Ready'), 'uvm', '--all');
    await demand(kubectl, 'no address was observed', ...waitFor('jsonpath={.status.addresses[0].ip}'), 'uvm', '--all');
    await delay(500);
  });
}

/** Every real machine sees the processors of this one, of which there may be two. */
async function makeRoom(site: Site, kubectl: Kubectl): Promise<void> {
  if (site.options.hypervisor !== 'qemu') return;
  say('  Guests that idle need little of a processor, so more CPUs may be given to them than there are:');
  const spec = { overcommit: { cpuPercent: 100 * VMS_PER_CPU } };
  const names = site.machines.map(({ name }) => name);
  await kubectl.show('patch', 'uhv', ...names, '--type', 'merge', '-p', JSON.stringify({ spec }));
  const cpus = await ask(site.controlPlane, 'get', 'uhv', names[0] ?? '', '-o', 'jsonpath={.status.capacity.cpus}');
  const offered = waitFor(`jsonpath={.status.allocatable.cpus}=${Number(cpus) * VMS_PER_CPU}`);
  await demand(kubectl, 'they do not offer more CPUs', ...offered, ...hypervisorsOf(site));
}

function hypervisorsOf({ machines }: Site): string[] {
  return machines.map(({ name }) => `hypervisor/${name}`);
}

function waitFor(what: string): string[] {
  return ['wait', `--for=${what}`, '--timeout=120s'];
}

/** A new API server takes some seconds to put admission policies in force; until then creations may be refused. */
async function policiesInForce(kubectl: Kubectl): Promise<void> {
  for (let attempt = 0; attempt < 60; attempt++) {
    const file = join(REPOSITORY, 'examples/first-vm.yaml');
    if ((await kubectl.complaint('apply', '--dry-run=server', '-f', file)) === undefined) return;
    await delay(500);
  }
  throw new Error('the API server did not put the admission policies in force');
}

/** What Kubernetes says of the guests, and what one of them says itself: on its serial console and to a ping. */
export async function showGuests(site: Site, kubectl: Kubectl): Promise<void> {
  heading('What they are');
  await demand(kubectl, 'no usage was reported', ...waitFor('jsonpath={.status.usage.cpu.oneMinute}'), 'uvm', '--all');
  await kubectl.show('get', 'uvm', '-o', 'wide');
  const home = await homeOf(site, 'hello');
  if (home?.kind !== 'qemu') return;
  say('  The serial console of hello, once it has booted:');
  indented(await saidOnConsole(join(home.host.consoleDirectory, 'default.hello.log')));
  const address = await ask(site.controlPlane, 'get', 'uvm', 'hello', '-o', 'jsonpath={.status.addresses[0].ip}');
  say(`  It answers a ping from this machine, at the address that was observed (${address}):`);
  const { stdout } = await run('ping', ['-c', '2', '-w', '60', address]);
  indented(stdout.trim());
}

/** The guest's own lines, once it says that it has its address; the rest is escape sequences and a shell's prompt. */
async function saidOnConsole(file: string): Promise<string> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const text = await readFile(file, 'utf8');
    const lines = text.split(/\r?\n/).flatMap((line) => /usher guest: .*/.exec(line) ?? []);
    const isUp = lines.some((line) => line.includes('address'));
    if (isUp || performance.now() > deadline) return lines.join('\n');
    await delay(500);
  }
}

/** A guest is killed where it runs; what is noticed, said and done about it. Nothing where guests are simulated. */
export async function killOneGuest(site: Site, kubectl: Kubectl): Promise<void> {
  const home = await homeOf(site, VICTIM);
  if (home?.kind !== 'qemu') return;
  heading(`The guest of ${VICTIM} is killed behind the system's back`);
  await kubectl.watching(['get', 'uvm', VICTIM, '--watch'], async () => {
    await delay(1_000);
    say(`  $ kill -9 <the QEMU process of ${VICTIM}>`);
    await signalGuest(home.host, `default.${VICTIM}`, 'KILL');
    const crashed = waitFor('jsonpath={.status.lastTermination.reason}=Crashed');
    await demand(kubectl, 'the crash was not noticed', ...crashed, 'uvm', VICTIM);
    await demand(kubectl, 'it was not started again', ...waitFor('condition=Ready'), 'uvm', VICTIM);
    await delay(500);
  });
  say('  What it says of that:');
  await kubectl.show('get', 'uvm', VICTIM, '-o', 'jsonpath={.status.lastTermination.message}{"\\n"}');
  await kubectl.show('events', '--for', `virtualmachine/${VICTIM}`);
}

/** The machine that a VM is placed on. */
export async function homeOf(site: Site, vm: string): Promise<Machine | undefined> {
  const name = await ask(site.controlPlane, 'get', 'uvm', vm, '-o', 'jsonpath={.status.placement.hypervisor}');
  return site.machines.find((machine) => machine.name === name);
}

async function demand(kubectl: Kubectl, otherwise: string, ...args: string[]): Promise<void> {
  const complaint = await kubectl.complaint(...args);
  if (complaint !== undefined) throw new Error(`${otherwise} (${complaint})`);
}
