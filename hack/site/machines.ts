// The hypervisor machines of a site: real libvirts, or none at all where the daemons simulate.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { guestImage } from '../hypervisor-host/guest/image.ts';
import { type HypervisorHost } from '../hypervisor-host/host.ts';
import { loadHost, makeConsoles, startHost, stopHost } from '../hypervisor-host/host-life.ts';

export type Machine =
  | { readonly kind: 'qemu'; readonly name: string; readonly host: HypervisorHost; readonly bootDirectory: string }
  | { readonly kind: 'simulated'; readonly name: string };

export interface Machines {
  readonly list: readonly Machine[];
  stop(): Promise<void>;
}

/** Nothing runs for them: their daemons make the guests up. */
export function simulatedMachines(names: readonly string[]): Machines {
  return { list: names.map((name) => ({ kind: 'simulated', name })), stop: async () => undefined };
}

export interface RealMachines {
  readonly names: readonly string[];
  readonly directory: string;
  readonly lifetime: 'parent' | 'detached';
}

/** Starts them side by side; stops those that did start where one does not. */
export async function realMachines({ names, directory, lifetime }: RealMachines): Promise<Machines> {
  const { bootDirectory } = await guestImage();
  const guestDirectories = [bootDirectory, ...(await makeConsoles(names.map((name) => join(directory, name))))];
  const started = await Promise.allSettled(
    names.map(async (name) => startHost({ name, directory: join(directory, name), lifetime, guestDirectories })),
  );
  const hosts = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const stop = async () => {
    await Promise.all(hosts.map(stopHost));
  };
  const failed = started.find((result) => result.status === 'rejected');
  if (failed !== undefined) {
    await stop();
    throw failed.reason;
  }
  return { list: hosts.map((host) => ({ kind: 'qemu', name: host.name, host, bootDirectory })), stop };
}

/** Ends the machines that another process started there. Gives back their names. */
export async function stopMachinesIn(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch(() => []);
  const hosts = await Promise.all(names.map(async (name) => loadHost(join(directory, name))));
  const there = hosts.filter((host) => host !== undefined);
  await Promise.all(there.map(stopHost));
  return there.map((host) => `machine ${host.name}`);
}
