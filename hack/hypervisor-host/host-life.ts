// The life of machines with a real libvirt each, several on one real machine: own network, mounts, processes, host name.
import { randomUUID } from 'node:crypto';
import { access, constants, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isRunning, type StartedProcess, startProcess, stopProcess } from '../process.ts';
import { command } from './command.ts';
import { type HypervisorHost, initPid, untilLibvirtAnswers, virsh } from './host.ts';
import { makeCgroups, removeCgroups } from './host-cgroup.ts';
import { networkXml, writeHostConfig } from './host-config.ts';
import { createHostNetwork, removeHostNetwork } from './host-network.ts';

export interface HostOptions {
  readonly name: string;
  /** Short: the socket's path must stay below 108 characters. */
  readonly directory: string;
  /** `parent`: ends with this process, guests too. */
  readonly lifetime: 'parent' | 'detached';
  /** Directories that its guests use beside its own: what they boot from, storage that several machines share. */
  readonly guestDirectories?: readonly string[];
}

const EMULATOR = `/usr/bin/qemu-system-${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}`;
const PROGRAMS = ['/usr/sbin/libvirtd', '/usr/sbin/virtlockd', '/usr/bin/virsh', EMULATOR, '/usr/sbin/dnsmasq'];

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

/**
 * The directories of the consoles of machines, made: all see them under the same paths, for a guest that moves to another
 * machine goes on writing where it did.
 */
export async function makeConsoles(directories: readonly string[]): Promise<string[]> {
  const consoles = directories.map(consolesIn);
  for (const directory of consoles) await mkdir(directory, { recursive: true });
  return consoles;
}

function consolesIn(directory: string): string {
  return join(directory, 'console');
}

/** Starts one machine and waits until libvirt answers and its network is up. What it started it removes if it fails. */
export async function startHost(options: HostOptions): Promise<HypervisorHost> {
  const { name, directory } = options;
  const socket = join(directory, 'run', 'libvirt-sock');
  if (socket.length > 107)
    throw new Error(`the path of the socket is too long for Linux (${socket.length} > 107): ${socket}`);
  await mkdir(directory, { recursive: true });
  const cgroups = await makeCgroups(directory);
  await writeHostConfig(directory, randomUUID(), cgroups !== undefined);
  const started = await startMachine(options, cgroups);
  try {
    const network = await createHostNetwork(await initPid(started));
    const host = describeHost({ name, directory, socket, network, process: started });
    await saveHost(host);
    await untilLibvirtAnswers(host);
    await startNetwork(host);
    return host;
  } catch (error) {
    await stopProcess(started); // its wires go with it
    await removeCgroups(directory);
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
    consoleDirectory: consolesIn(known.directory),
  };
}

async function startMachine(
  { name, directory, lifetime, guestDirectories = [] }: HostOptions,
  cgroups = '',
): Promise<StartedProcess> {
  const init = join(import.meta.dirname, 'host-init.sh');
  const spaces = ['--net', '--mount', '--uts', '--pid', '--propagation', 'private', '--mount-proc'];
  return startProcess({
    name: `machine ${name}`,
    command: 'unshare',
    args: [...spaces, '--fork', '--kill-child', 'bash', init, directory, name, cgroups, ...guestDirectories],
    directory: '/',
    logFile: join(directory, 'machine.log'),
    graceMilliseconds: 0, // unshare ignores SIGTERM
    lifetime,
  });
}

async function startNetwork(host: HypervisorHost): Promise<void> {
  const file = join(host.directory, 'default-network.xml');
  await writeFile(file, networkXml(host.network.number));
  await virsh(host, 'net-define', file);
  await virsh(host, 'net-autostart', 'default');
  await virsh(host, 'net-start', 'default');
}

/** Ends the machine, its guests and its wires, and removes its directory. Quiet about what is gone already. */
export async function stopHost(host: HypervisorHost): Promise<void> {
  // A machine that ended by itself took its wires with it; others may have that number by now.
  if (isRunning(host.process)) {
    await stopProcess(host.process);
    await removeHostNetwork(host.network);
  }
  await removeCgroups(host.directory);
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
