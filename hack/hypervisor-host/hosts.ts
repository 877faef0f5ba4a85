// Machines with a real libvirt each, several on one real machine: own network, mounts, processes and host name.
import { randomUUID } from 'node:crypto';
import { access, constants, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isRunning, lastLines, type StartedProcess, startProcess, stopProcess } from '../process.ts';
import { command, until } from './command.ts';
import { networkXml, writeHostConfig } from './host-config.ts';
import { createHostNetwork, type HostNetwork, removeHostNetwork } from './host-network.ts';

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

export interface HostOptions {
  readonly name: string;
  /** Short: the socket's path must stay below 108 characters. */
  readonly directory: string;
  /** `parent`: ends with this process, guests too. */
  readonly lifetime: 'parent' | 'detached';
}

const PROGRAMS = ['/usr/sbin/libvirtd', '/usr/bin/virsh', '/usr/bin/qemu-system-x86_64', '/usr/sbin/dnsmasq'];
const READY_SECONDS = 30;

/** Why this machine cannot play hypervisor machines; undefined where it can. */
export async function hostObstacle(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'only root can make network namespaces and run libvirtd';
  for (const program of PROGRAMS) {
    const there = await access(program, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (!there) return `${program} is missing: run make system-packages`;
  }
  return command('unshare', '--net', 'ip', 'link', 'add', 'probe0', 'type', 'veth').then(
    () => undefined,
    (error: unknown) => `network namespaces and virtual links cannot be made here: ${String(error)}`,
  );
}

/** Starts one machine and waits until libvirt answers and its network is up. What it started it removes if it fails. */
export async function startHost({ name, directory, lifetime }: HostOptions): Promise<HypervisorHost> {
  const socket = join(directory, 'run', 'libvirt-sock');
  if (socket.length > 107)
    throw new Error(`the path of the socket is too long for Linux (${socket.length} > 107): ${socket}`);
  await mkdir(directory, { recursive: true });
  await writeHostConfig(directory, randomUUID());
  const started = await startMachine({ name, directory, lifetime });
  try {
    const network = await createHostNetwork(await initPid(started));
    const host = describeHost({ name, directory, socket, network, process: started });
    await saveHost(host);
    await waitForLibvirt(host);
    await startNetwork(host);
    return host;
  } catch (error) {
    await stopProcess(started); // its wires go with it
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

function describeHost(
  known: Pick<HypervisorHost, 'name' | 'directory' | 'socket' | 'network' | 'process'>,
): HypervisorHost {
  return {
    ...known,
    uri: `qemu:///system?socket=${known.socket}`,
    consoleDirectory: join(known.directory, 'console'),
  };
}

async function startMachine({ name, directory, lifetime }: HostOptions): Promise<StartedProcess> {
  const init = join(import.meta.dirname, 'host-init.sh');
  const spaces = ['--net', '--mount', '--uts', '--pid', '--propagation', 'private', '--mount-proc'];
  return startProcess({
    name: `machine ${name}`,
    command: 'unshare',
    args: [...spaces, '--fork', '--kill-child', 'bash', init, directory, name],
    directory: '/',
    logFile: join(directory, 'machine.log'),
    graceMilliseconds: 0, // unshare ignores SIGTERM
    lifetime,
  });
}

async function waitForLibvirt(host: HypervisorHost): Promise<void> {
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

async function startNetwork(host: HypervisorHost): Promise<void> {
  const file = join(host.directory, 'default-network.xml');
  await writeFile(file, networkXml(host.network.number));
  await virsh(host, 'net-define', file);
  await virsh(host, 'net-autostart', 'default');
  await virsh(host, 'net-start', 'default');
}

/** What virsh prints. Rejects with what it complains of. */
export async function virsh(host: Pick<HypervisorHost, 'uri'>, ...args: string[]): Promise<string> {
  return (await command('virsh', '--quiet', '--connect', host.uri, ...args)).trim();
}

/** Kills libvirtd as a crash would. It comes back by itself, at once or when `releaseLibvirt` is called. */
export async function killLibvirt(
  host: HypervisorHost,
  hold: 'comes back' | 'stays away' = 'comes back',
): Promise<void> {
  if (hold === 'stays away') await writeFile(join(host.directory, 'hold'), '');
  await signalLibvirt(host, 'KILL');
}

/** Lets libvirtd come back that was to stay away; returns when it answers. */
export async function releaseLibvirt(host: HypervisorHost): Promise<void> {
  await rm(join(host.directory, 'hold'), { force: true });
  await waitForLibvirt(host);
}

/** STOP and CONT make it hang and go on. */
export async function signalLibvirt(host: HypervisorHost, signal: 'KILL' | 'STOP' | 'CONT'): Promise<void> {
  const pid = (await readFile(join(host.directory, 'run', 'libvirtd.pid'), 'utf8')).trim();
  await inside(host, 'kill', `-${signal}`, pid);
}

/** The guest's process, as the machine numbers it, killed by a signal behind everybody's back. */
export async function signalGuest(
  host: HypervisorHost,
  domain: string,
  signal: 'KILL' | 'TERM' | 'STOP' | 'CONT',
): Promise<void> {
  const pid = (await readFile(join(host.directory, 'run', 'qemu', `${domain}.pid`), 'utf8')).trim();
  await inside(host, 'kill', `-${signal}`, pid);
}

/** Runs a program on the machine. */
export async function inside(host: HypervisorHost, ...program: string[]): Promise<string> {
  const spaces = ['--mount', '--uts', '--net', '--pid'];
  const target = `${await initPid(host.process)}`;
  return (await command('nsenter', '--target', target, ...spaces, '--', ...program)).trim();
}

/** Where the kernel shows the machine's own network namespace, as it shows that of this process in /proc/net. */
export async function networkCounterDirectory(host: HypervisorHost): Promise<string> {
  return `/proc/${await initPid(host.process)}/net`;
}

/** PID 1 of the machine, as this machine numbers it: the only child of unshare. */
async function initPid({ pid, name }: Pick<StartedProcess, 'pid' | 'name'>): Promise<number> {
  const children = `/proc/${pid}/task/${pid}/children`;
  let init = '';
  await until(`${name} has its first process`, 5, async () => {
    init = (await readFile(children, 'utf8').catch(() => '')).trim();
    return init !== '';
  });
  return Number(init);
}

/** Ends the machine, its guests and its wires, and removes its directory. Quiet about what is gone already. */
export async function stopHost(host: HypervisorHost): Promise<void> {
  // A machine that ended by itself took its wires with it; others may have that number by now.
  if (isRunning(host.process)) {
    await stopProcess(host.process);
    await removeHostNetwork(host.network);
  }
  await rm(host.directory, { recursive: true, force: true });
}

const STATE = 'host.json';

async function saveHost(host: HypervisorHost): Promise<void> {
  await writeFile(join(host.directory, STATE), JSON.stringify(host, undefined, 2));
}

/** A machine that another process started; undefined where there is none in that directory. */
export async function loadHost(directory: string): Promise<HypervisorHost | undefined> {
  const text = await readFile(join(directory, STATE), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as HypervisorHost);
}
