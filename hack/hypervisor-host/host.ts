// A machine that runs: how to reach it, its libvirt, and the programs on it.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isRunning, lastLines, type StartedProcess } from '../process.ts';
import { until } from '../until.ts';
import { command } from './command.ts';
import type { HostNetwork } from './host-network.ts';

export interface HypervisorHost {
  readonly name: string;
  readonly directory: string;
  /** libvirt's read-write socket. */
  readonly socket: string;
  /** For virsh: qemu:///system through that socket. */
  readonly uri: string;
  /** Where serial consoles are logged. */
  readonly consoleDirectory: string;
  readonly network: HostNetwork;
  readonly process: StartedProcess;
}

const READY_SECONDS = 30;

/** What virsh prints. Rejects with what it complains of. */
export async function virsh(host: Pick<HypervisorHost, 'uri'>, ...args: string[]): Promise<string> {
  return (await command('virsh', '--quiet', '--connect', host.uri, ...args)).trim();
}

/** Runs a program on the machine. */
export async function inside(host: HypervisorHost, ...program: string[]): Promise<string> {
  const [nsenter = '', ...args] = await enter(host, '--mount', '--uts', '--net', '--pid');
  return (await command(nsenter, ...args, ...program)).trim();
}

/** What to put before a command so that it runs in these namespaces of the machine. */
export async function enter(host: HypervisorHost, ...spaces: string[]): Promise<string[]> {
  return ['nsenter', '--target', `${await initPid(host.process)}`, ...spaces, '--'];
}

/** Where the kernel shows the machine's own network namespace, as it shows that of this process in /proc/net. */
export async function networkCounterDirectory(host: HypervisorHost): Promise<string> {
  return `/proc/${await initPid(host.process)}/net`;
}

/** PID 1 of the machine, as this machine numbers it: the only child of unshare. */
export async function initPid({ pid, name }: Pick<StartedProcess, 'pid' | 'name'>): Promise<number> {
  const children = `/proc/${pid}/task/${pid}/children`;
  let init = '';
  await until(`${name} has its first process`, 5, async () => {
    init = (await readFile(children, 'utf8').catch(() => '')).trim();
    return init !== '';
  });
  return Number(init);
}

/** Rejects, with the ends of its logs, where the machine has ended or libvirt takes too long. */
export async function untilLibvirtAnswers(host: HypervisorHost): Promise<void> {
  await until(`libvirt of ${host.name} answers`, READY_SECONDS, async () => {
    if (!isRunning(host.process)) {
      throw new Error(`machine ${host.name} ended:\n${logsOf(host)}`);
    }
    return answers(host);
  }).catch((error: unknown) => {
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${logsOf(host)}`, { cause: error });
  });
}

function logsOf({ directory }: HypervisorHost): string {
  return ['machine.log', 'libvirtd.log'].map((file) => lastLines(join(directory, file), 20)).join('\n');
}

async function answers(host: HypervisorHost): Promise<boolean> {
  return virsh(host, 'version').then(
    () => true,
    () => false,
  );
}
