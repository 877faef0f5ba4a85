// The wires: every machine has a network namespace joined to this one by a veth pair; its guests' subnet is routed there.
import { writeFile } from 'node:fs/promises';
import { command } from './command.ts';

export interface HostNetwork {
  /** The end of the pair that stays here. It vanishes with the machine. */
  readonly link: string;
  /** Guests live in 10.77.<number>.0/24, the pair in 10.78.<number>.0/31. */
  readonly number: number;
}

const LAST_NUMBER = 250;

/**
 * Wires up the namespace of this process under the first number that nobody has. Making a link is atomic and its name
 * holds the number: several runs on one machine never take the same. Rejects where none is free.
 */
export async function createHostNetwork(pid: number): Promise<HostNetwork> {
  for (let number = 1; number <= LAST_NUMBER; number += 1) {
    const network = { link: `usher-h${number}`, number };
    if (await makePair(network, pid)) {
      try {
        await configureBothEnds(network, pid);
        return network;
      } catch (error) {
        await removeHostNetwork(network);
        throw error;
      }
    }
  }
  throw new Error(`no free number is left in usher-h1 to usher-h${LAST_NUMBER}: stop what no longer runs (ip link)`);
}

/** Where other machines reach this one: libvirt listens on all addresses of its namespace. */
export function migrationUriOf({ number }: Pick<HostNetwork, 'number'>): string {
  return `qemu+tcp://10.78.${number}.1/system`;
}

/** Quiet about what is gone already. */
export async function removeHostNetwork({ link }: Pick<HostNetwork, 'link'>): Promise<void> {
  await command('ip', 'link', 'del', link).catch((error: unknown) => {
    if (!String(error).includes('Cannot find device')) {
      throw error;
    }
  });
}

async function makePair({ link }: HostNetwork, pid: number): Promise<boolean> {
  try {
    await command('ip', 'link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', `${pid}`);
    return true;
  } catch (error) {
    if (String(error).includes('File exists')) {
      return false;
    }
    throw error;
  }
}

async function configureBothEnds({ link, number }: HostNetwork, pid: number): Promise<void> {
  const [here, there] = [`10.78.${number}.0`, `10.78.${number}.1`];
  const inside = (...args: string[]) => command('nsenter', '--target', `${pid}`, '--net', 'ip', ...args);
  await command('ip', 'addr', 'add', `${here}/31`, 'dev', link);
  await command('ip', 'link', 'set', link, 'up');
  await inside('link', 'set', 'lo', 'up');
  await inside('addr', 'add', `${there}/31`, 'dev', 'eth0');
  await inside('link', 'set', 'eth0', 'up');
  await inside('route', 'add', 'default', 'via', here);
  // From one machine to another, and only that: what comes in over this link is passed on.
  await writeFile(`/proc/sys/net/ipv4/conf/${link}/forwarding`, '1');
  await command('ip', 'route', 'add', `10.77.${number}.0/24`, 'via', there);
}
