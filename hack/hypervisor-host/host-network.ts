// The wires: every machine is a network namespace joined to this one by a veth pair; its guests' subnet is routed there.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface HostNetwork {
  readonly namespace: string;
  /** The end of the pair that stays here; at most 15 characters. */
  readonly link: string;
  /** Guests live in 10.77.<number>.0/24, the pair in 10.78.<number>.0/30. */
  readonly number: number;
}

const LAST_NUMBER = 250;

/** Makes the namespace and its wires under the first free number. Rejects where none is free. */
export async function createHostNetwork(namespace: string, link: string): Promise<HostNetwork> {
  await ip('netns', 'add', namespace);
  await ip('link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace);
  const number = await claimNumber(link);
  await ip('link', 'set', link, 'up');
  await ip('-n', namespace, 'addr', 'add', `10.78.${number}.2/30`, 'dev', 'eth0');
  await ip('-n', namespace, 'link', 'set', 'eth0', 'up');
  await ip('-n', namespace, 'link', 'set', 'lo', 'up');
  await ip('-n', namespace, 'route', 'add', 'default', 'via', `10.78.${number}.1`);
  await ip('route', 'add', `10.77.${number}.0/24`, 'via', `10.78.${number}.2`);
  return { namespace, link, number };
}

/** Quiet about what is gone already. */
export async function removeHostNetwork({ namespace, link }: Pick<HostNetwork, 'namespace' | 'link'>): Promise<void> {
  await ip('link', 'del', link).catch(() => undefined);
  await ip('netns', 'del', namespace).catch(() => undefined);
}

/** Several runs on one machine must not take the same subnet: a route that is there says that a number is taken. */
async function claimNumber(link: string): Promise<number> {
  for (let number = 1; number <= LAST_NUMBER; number++) {
    const { stdout } = await ip('-o', 'route', 'show', 'match', `10.78.${number}.1`, 'proto', 'kernel');
    if (stdout.includes(`10.78.${number}.0/30`)) continue;
    await ip('link', 'set', link, 'up');
    await ip('addr', 'add', `10.78.${number}.1/30`, 'dev', link);
    return number;
  }
  throw new Error(`no free subnet is left in 10.78.1.0 to 10.78.${LAST_NUMBER}.0: stop what no longer runs (ip route)`);
}

async function ip(...args: string[]) {
  return run('ip', args);
}
