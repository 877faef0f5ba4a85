// The cable between a host and the machine it runs on, which also decides the number of the host.
import { command } from '../command.ts';

const MAX_NUMBER = 254;

export interface Uplink {
  /** The guests' network is 10.77.<number>.0/24. */
  readonly number: number;
  /** The machine's end of the cable. It vanishes with the host's namespaces. */
  readonly link: string;
}

/**
 * Takes the first number that nobody has: making a link is atomic, and its name holds the number. Hosts of different
 * runs on one machine so never get in each other's way.
 */
export async function connectUplink(initPid: number): Promise<Uplink> {
  for (let number = 1; number <= MAX_NUMBER; number += 1) {
    const link = `usher-h${number}`;
    if (await made(link, initPid)) {
      try {
        await addressBothEnds({ number, link }, initPid);
        return { number, link };
      } catch (error) {
        await removeUplink(link);
        throw error;
      }
    }
  }
  throw new Error(`this machine has ${MAX_NUMBER} hosts already, or as many forgotten links named usher-h<number>`);
}

/** Quiet where it is gone. */
export async function removeUplink(link: string): Promise<void> {
  await command('ip', 'link', 'del', link).catch((error: unknown) => {
    if (!String(error).includes('Cannot find device')) {
      throw error;
    }
  });
}

async function made(link: string, initPid: number): Promise<boolean> {
  try {
    await command('ip', 'link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', `${initPid}`);
    return true;
  } catch (error) {
    if (String(error).includes('File exists')) {
      return false;
    }
    throw error;
  }
}

async function addressBothEnds({ number, link }: Uplink, initPid: number): Promise<void> {
  const [machine, host] = [`10.78.${number}.0`, `10.78.${number}.1`];
  await command('ip', 'addr', 'add', `${machine}/31`, 'dev', link);
  await command('ip', 'link', 'set', link, 'up');
  const inside = (...args: string[]) => command('nsenter', '-t', `${initPid}`, '-n', 'ip', ...args);
  await inside('link', 'set', 'lo', 'up');
  await inside('addr', 'add', `${host}/31`, 'dev', 'eth0');
  await inside('link', 'set', 'eth0', 'up');
  await inside('route', 'add', 'default', 'via', machine);
  await command('ip', 'route', 'add', `10.77.${number}.0/24`, 'via', host);
}
