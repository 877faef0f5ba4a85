// One libvirt host: a PID, mount, network and UTS namespace, a libvirtd in it, and a network for its guests.
import { access, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ProcessIdentity, startProcess, stopProcess } from '../../process.ts';
import { command, until } from '../command.ts';
import { type HostPaths, hostPaths, networkXml, prepareDirectory } from './files.ts';
import { connectUplink, removeUplink, type Uplink } from './uplink.ts';

const SECONDS_TO_ANSWER = 30;

/** What must be known to use a host from another process, and to take it away. */
export interface HostRecord {
  readonly name: string;
  readonly directory: string;
  /** The process whose end ends the host. */
  readonly launcher: ProcessIdentity;
  readonly initPid: number;
  readonly uplink: Uplink;
}

export interface HostSpecification {
  readonly name: string;
  /** Need not exist; everything of the host is in it. */
  readonly directory: string;
  /** `parent`: the host ends with this process, however that ends. `detached`: it stays. */
  readonly lifetime: 'parent' | 'detached';
}

/** A host that answers, with its network `default` active. On failure nothing is left behind. */
export async function startHost(specification: HostSpecification): Promise<HypervisorHost> {
  const { name, directory, lifetime } = specification;
  const paths = hostPaths(directory);
  await prepareDirectory(paths, name);
  const launcher = await launch(specification);
  try {
    await until(`${name} enters its namespaces (see ${directory}/init.log)`, 10, () => exists(join(directory, 'ready')));
    const initPid = await onlyChildOf(launcher.pid);
    const uplink = await connectUplink(initPid);
    const host = new HypervisorHost({ name, directory, launcher, initPid, uplink }, lifetime);
    await host.startLibvirtd();
    await plugInNetwork(host, paths);
    return host;
  } catch (error) {
    await stopProcess(launcher);
    throw error;
  }
}

export class HypervisorHost {
  readonly record: HostRecord;
  readonly uri = 'qemu:///system';
  readonly #paths: HostPaths;
  readonly #lifetime: HostSpecification['lifetime'];

  constructor(record: HostRecord, lifetime: HostSpecification['lifetime']) {
    this.record = record;
    this.#paths = hostPaths(record.directory);
    this.#lifetime = lifetime;
  }

  get name(): string {
    return this.record.name;
  }

  get socketPath(): string {
    return this.#paths.socket;
  }

  /** Where serial consoles may be logged. */
  get consoleLogDirectory(): string {
    return this.#paths.consoleLogs;
  }

  /** Guests on the network `default` get their addresses from it; this machine has a route there. */
  get guestSubnet(): string {
    return `10.77.${this.record.uplink.number}.0/24`;
  }

  /** The kernel's files about the host's own network namespace, as /proc/net is for this process. */
  get networkCounterDirectory(): string {
    return `/proc/${this.record.initPid}/net`;
  }

  /** The arguments that make `virsh` talk to this host. */
  get virshArguments(): readonly string[] {
    return ['-c', `${this.uri}?socket=${this.socketPath}`];
  }

  virsh(...args: string[]): Promise<string> {
    return command('virsh', '-q', ...this.virshArguments, ...args);
  }

  /** Starts it where it does not run, and resolves when it answers. Guests that run are found again. */
  async startLibvirtd(): Promise<void> {
    const inside = this.#inside('libvirtd', '-f', '/etc/libvirt/libvirtd.conf', '-p', '/run/libvirt/libvirtd.pid');
    await startProcess({
      name: `libvirtd of ${this.name}`,
      command: 'nsenter',
      args: inside,
      directory: this.record.directory,
      logFile: join(this.record.directory, 'libvirtd.out'),
      graceMilliseconds: 0,
      lifetime: this.#lifetime,
    });
    await until(`libvirtd of ${this.name} answers (see ${this.#paths.log})`, SECONDS_TO_ANSWER, () => this.#answers());
  }

  async signalLibvirtd(signal: NodeJS.Signals): Promise<void> {
    await this.#signal('run/libvirt/libvirtd.pid', signal);
  }

  /** To the QEMU process of a running guest, by the domain's name. */
  async signalGuest(domain: string, signal: NodeJS.Signals): Promise<void> {
    await this.#signal(`run/libvirt/qemu/${domain}.pid`, signal);
  }

  /** Ends everything on it, guests as well, and removes its directory. Quiet where it is gone. */
  async stop(): Promise<void> {
    const { launcher, uplink, directory } = this.record;
    await stopProcess(launcher);
    await removeUplink(uplink.link);
    await rm(directory, { recursive: true, force: true });
  }

  async #signal(pidFile: string, signal: NodeJS.Signals): Promise<void> {
    const pid = (await readFile(join(this.record.directory, pidFile), 'utf8')).trim();
    await command('nsenter', ...this.#inside('kill', '-s', signal.replace('SIG', ''), pid));
  }

  #inside(...args: string[]): string[] {
    return ['-t', `${this.record.initPid}`, '-m', '-u', '-n', '-p', '--', ...args];
  }

  #answers(): Promise<boolean> {
    return this.virsh('list').then(
      () => true,
      () => false,
    );
  }
}

function launch({ name, directory, lifetime }: HostSpecification): Promise<ProcessIdentity> {
  const namespaces = ['--net', '--mount', '--uts', '--pid', '--mount-proc', '--propagation', 'private'];
  return startProcess({
    name,
    command: 'unshare',
    args: [...namespaces, '--fork', '--kill-child', 'bash', join(import.meta.dirname, 'init.sh'), directory, name],
    directory,
    logFile: join(directory, 'init.log'),
    graceMilliseconds: 0, // it ignores SIGTERM
    lifetime,
  });
}

async function onlyChildOf(pid: number): Promise<number> {
  const children = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim();
  if (!/^[0-9]+$/.test(children)) {
    throw new Error(`process ${pid} should have one child and has '${children}'`);
  }
  return Number(children);
}

async function plugInNetwork(host: HypervisorHost, paths: HostPaths): Promise<void> {
  await writeFile(paths.networkXml, networkXml(host.record.uplink.number));
  await host.virsh('net-define', paths.networkXml);
  await host.virsh('net-autostart', 'default');
  await host.virsh('net-start', 'default');
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
