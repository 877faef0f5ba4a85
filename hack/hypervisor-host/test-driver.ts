// A libvirtd without privileges whose only use is to serve test:///default: libvirt's own mock-up of a hypervisor.
import { existsSync } from 'node:fs';
import { chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isRunning, lastLines, signalProcess, startProcess, stopProcess } from '../process.ts';
import { until } from '../until.ts';
import { command } from './command.ts';

/** Debian's nobody and nogroup: run by root, libvirtd would take the machine's own directories. */
const NOBODY = 65_534;

export interface TestDriver {
  readonly socketPath: string;
  readonly uri: 'test:///default';
  /**
   * SIGSTOP makes it hang, SIGCONT go on. Its domains are gone with its last connection. Throws what libvirtd said last
   * where it is no longer there: whatever a test sees then is not its driver's doing.
   */
  signal(signal: NodeJS.Signals): void;
  virsh(...args: string[]): Promise<string>;
  stop(): Promise<void>;
}

/** Why it cannot run here; undefined where it can. */
export async function testDriverObstacle(): Promise<string | undefined> {
  const found = await command('sh', '-c', 'command -v libvirtd').catch(() => undefined);
  return found === undefined ? 'libvirtd is missing (Debian package libvirt-daemon-system)' : undefined;
}

/** Ends with this process. */
export async function startTestDriver(): Promise<TestDriver> {
  const directory = await mkdtemp(join(tmpdir(), 'usher-test-'));
  const environment = await prepare(directory);
  const socketPath = join(directory, 'run/libvirt/libvirt-sock');
  const isRoot = process.getuid?.() === 0;
  const dropRights = isRoot ? ['--reuid', `${NOBODY}`, '--regid', `${NOBODY}`, '--clear-groups'] : [];
  const started = await startProcess({
    name: 'libvirtd for test:///default',
    command: 'setpriv',
    // A change of user clears the parent-death signal, so it is asked for after it.
    args: [...dropRights, '--pdeathsig', 'KILL', '--', 'libvirtd', '-f', join(directory, 'libvirtd.conf')],
    directory,
    logFile: join(directory, 'out'),
    environment,
    graceMilliseconds: 2_000,
    lifetime: 'parent',
  });
  await until(`libvirtd serves test:///default (see ${directory}/log)`, 10, async () => existsSync(socketPath));
  return {
    socketPath,
    uri: 'test:///default',
    signal: (signal) => {
      if (!isRunning(started)) throw new Error(`libvirtd has died by itself: ${lastLines(join(directory, 'log'), 20)}`);
      signalProcess(started, signal);
    },
    virsh: (...args) => command('virsh', '-q', '-c', `test+unix:///default?socket=${socketPath}`, ...args),
    async stop() {
      signalProcess(started, 'SIGCONT');
      await stopProcess(started);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** The environment that makes it use this directory and nothing else. */
async function prepare(directory: string): Promise<Record<string, string>> {
  const own = async (path: string): Promise<string> => {
    await mkdir(path, { recursive: true });
    if (process.getuid?.() === 0) {
      await chown(path, NOBODY, NOBODY);
    }
    return path;
  };
  const log = join(directory, 'log');
  await writeFile(join(directory, 'libvirtd.conf'), `auth_unix_rw = "none"\nlog_outputs = "3:file:${log}"\n`);
  return {
    HOME: await own(directory),
    XDG_RUNTIME_DIR: await own(join(directory, 'run')),
    XDG_CONFIG_HOME: await own(join(directory, 'config')),
    XDG_CACHE_HOME: await own(join(directory, 'cache')),
  };
}
