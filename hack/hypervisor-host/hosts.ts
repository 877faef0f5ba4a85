// Machines with a real libvirt each, several on one real machine: own network, mounts, processes and host name.
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { access, constants, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { isRunning, lastLines, type StartedProcess, startProcess, stopProcess } from '../process.ts';
import { networkXml, writeHostConfig } from './host-config.ts';
import { createHostNetwork, type HostNetwork, removeHostNetwork } from './host-network.ts';

const run = promisify(execFile);

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
const READY_MS = 30_000;

/** Why this machine cannot play hypervisor machines; undefined where it can. */
export async function hostObstacle(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'only root can make network namespaces and run libvirtd';
  for (const program of PROGRAMS) {
    const there = await access(program, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (!there) return `${program} is missing: run make setup`;
  }
  const probe = `usher-probe-${process.pid}`;
  const allowed = await run('ip', ['netns', 'add', probe]).then(
    () => true,
    () => false,
  );
  await run('ip', ['netns', 'del', probe]).catch(() => undefined);
  return allowed ? undefined : 'network namespaces cannot be made here (ip netns add fails)';
}

/** Starts one machine and waits until libvirt answers and its network is up. What it started it removes if it fails. */
export async function startHost({ name, directory, lifetime }: HostOptions): Promise<HypervisorHost> {
  const socket = join(directory, 'run', 'libvirt-sock');
  if (socket.length > 107)
    throw new Error(`the path of the socket is too long for Linux (${socket.length} > 107): ${socket}`);
  await mkdir(directory, { recursive: true });
  await writeHostConfig(directory, randomUUID());
  const tag = randomUUID().slice(0, 6);
  const network = await createHostNetwork(`usher-${tag}-${name}`, `us${tag}-${name}`.slice(0, 15));
  const started = await startMachine({ name, directory, lifetime }, network);
  const uri = `qemu:///system?socket=${socket}`;
  const host: HypervisorHost = {
    name,
    directory,
    socket,
    uri,
    consoleDirectory: join(directory, 'console'),
    network,
    process: started,
  };
  await saveHost(host);
  try {
    await waitForLibvirt(host);
    await startNetwork(host);
    return host;
  } catch (error) {
    await stopHost(host);
    throw error;
  }
}

async function startMachine(
  { name, directory, lifetime }: HostOptions,
  { namespace }: HostNetwork,
): Promise<StartedProcess> {
  const init = join(import.meta.dirname, 'host-init.sh');
  const spaces = ['--mount', '--uts', '--pid', '--propagation', 'private', '--fork', '--kill-child', '--mount-proc'];
  return startProcess({
    name: `machine ${name}`,
    command: 'ip',
    args: ['netns', 'exec', namespace, 'unshare', ...spaces, init, directory, name],
    directory: '/',
    logFile: join(directory, 'machine.log'),
    graceMilliseconds: 0,
    lifetime,
  });
}

async function waitForLibvirt(host: HypervisorHost): Promise<void> {
  const deadline = performance.now() + READY_MS;
  while (!(await answers(host))) {
    if (performance.now() > deadline || !isRunning(host.process)) {
      const log =
        lastLines(join(host.directory, 'machine.log'), 20) + lastLines(join(host.directory, 'libvirtd.log'), 20);
      throw new Error(`libvirt of ${host.name} does not answer after ${READY_MS / 1000} s:\n${log}`);
    }
    await delay(100);
  }
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
  const { stdout } = await run('virsh', ['--quiet', '--connect', host.uri, ...args], { timeout: 30_000 });
  return stdout.trim();
}

/** Kills libvirtd as a crash would. It comes back by itself, at once or when `releaseLibvirt` is called. */
export async function killLibvirt(
  host: HypervisorHost,
  hold: 'comes back' | 'stays away' = 'comes back',
): Promise<void> {
  if (hold === 'stays away') await writeFile(join(host.directory, 'hold'), '');
  await signalLibvirt(host, 'KILL');
}

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
export async function inside(host: HypervisorHost, ...command: string[]): Promise<string> {
  const init = await initPid(host);
  const { stdout } = await run('nsenter', ['--target', init, '--all', '--', ...command], { timeout: 30_000 });
  return stdout.trim();
}

/** PID 1 of the machine, as this machine numbers it: the child of unshare, which ip became. */
async function initPid(host: HypervisorHost): Promise<string> {
  const { stdout } = await run('pgrep', ['--parent', String(host.process.pid)]);
  const [pid] = stdout.trim().split('\n');
  if (pid === undefined || pid === '') throw new Error(`machine ${host.name} is not running`);
  return pid;
}

/** Ends the machine, its guests and its wires, and removes its directory. Quiet about what is gone already. */
export async function stopHost(host: HypervisorHost): Promise<void> {
  await stopProcess(host.process);
  await removeHostNetwork(host.network);
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
