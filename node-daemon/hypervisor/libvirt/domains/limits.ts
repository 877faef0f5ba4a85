// How CPU time is shared out for a guest: what libvirt calls scheduler parameters.
import { DEFAULT_CPU_SHARES, type Limits } from '#crds/resources.ts';
import { PERIOD_US, quotaOf, sharesHere } from '../domain-xml/cpu-time.ts';
import { AFFECT, type Ask } from '../rpc/domain-calls.ts';
import { FAULT, isFault } from '../rpc/faults.ts';
import { getScheduler, setScheduler } from '../rpc/scheduler-calls.ts';

const SHARES = 'cpu_shares';
const PERIOD = 'global_period';
const QUOTA = 'global_quota';

/** In the measure of this machine; undefined where libvirt tells none. */
export async function readShares(ask: Ask, uuid: string): Promise<number | undefined> {
  const shares = (await getScheduler(ask, uuid, AFFECT.current)).get(SHARES);
  return shares === undefined ? undefined : Number(shares);
}

export async function readLimits(ask: Ask, uuid: string, defaultShares: number): Promise<Limits> {
  const parameters = await getScheduler(ask, uuid, AFFECT.current);
  const number = (name: string) => Number(parameters.get(name) ?? 0);
  // Of one that is off libvirt says 0 where its definition says nothing.
  const [shares, period, quota] = [number(SHARES) || defaultShares, number(PERIOD) || PERIOD_US, number(QUOTA)];
  return {
    cpuShares: Math.round((shares * DEFAULT_CPU_SHARES) / defaultShares),
    ...(quota > 0 && quota < NO_QUOTA ? { cpuLimitMillis: Math.round((quota * 1000) / period) } : {}),
  };
}

/** libvirt tells some machines' lack of a quota as a number that no guest could use up. */
const NO_QUOTA = 10 ** 12;

/** Of the running guest and of its definition, so that a restart keeps it. */
export async function writeLimits(ask: Ask, uuid: string, limits: Limits, defaultShares: number): Promise<void> {
  const parameters = [
    { name: SHARES, type: 'UnsignedHyper', value: sharesHere(limits, defaultShares) },
    { name: PERIOD, type: 'UnsignedHyper', value: PERIOD_US },
    { name: QUOTA, type: 'Hyper', value: quotaOf(limits) },
  ] as const;
  try {
    await setScheduler(ask, uuid, parameters, AFFECT.live | AFFECT.config);
  } catch (error) {
    if (!isFault(error, FAULT.operationInvalid)) throw error;
    await setScheduler(ask, uuid, parameters, AFFECT.current); // it is off, or it has no definition that outlives it
  }
}
