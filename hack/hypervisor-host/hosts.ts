// Several libvirt hosts on one machine, for tests and for the demo.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type HostRecord, HypervisorHost, startHost } from './host/host.ts';

const RECORD = 'hosts.json';

export interface HostsOptions {
  /** Each becomes a host of that host name. */
  readonly names: readonly string[];
  /** Made anew; short, for there will be sockets in it. Removed by `stop`. */
  readonly directory: string;
  /** `parent`: they end with this process, however that ends. `detached`: they stay, for `findHosts`. */
  readonly lifetime: 'parent' | 'detached';
}

export interface Hosts {
  readonly hosts: readonly HypervisorHost[];
  /** Takes away all of them: guests, namespaces, links, files. Quiet where they are gone. */
  stop(): Promise<void>;
}

/** All of them up, or none of them left. Hosts of other directories on the same machine are not disturbed. */
export async function startHosts({ names, directory, lifetime }: HostsOptions): Promise<Hosts> {
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  const starting = names.map((name) => startHost({ name, directory: join(directory, name), lifetime }));
  const outcomes = await Promise.allSettled(starting);
  const hosts = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  const started = hostsIn(directory, hosts);
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) {
    await started.stop();
    throw failed.reason;
  }
  await writeFile(join(directory, RECORD), `${JSON.stringify(hosts.map((host) => host.record))}\n`);
  return started;
}

/** Those that another process started in `directory` and left there; undefined where there are none. */
export async function findHosts(directory: string): Promise<Hosts | undefined> {
  const text = await readFile(join(directory, RECORD), 'utf8').catch(() => undefined);
  if (text === undefined) {
    return undefined;
  }
  const records = JSON.parse(text) as HostRecord[];
  return hostsIn(
    directory,
    records.map((record) => new HypervisorHost(record, 'detached')),
  );
}

function hostsIn(directory: string, hosts: readonly HypervisorHost[]): Hosts {
  return {
    hosts,
    async stop() {
      await Promise.all(hosts.map((host) => host.stop()));
      await rm(directory, { recursive: true, force: true });
    },
  };
}
