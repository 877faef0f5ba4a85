// What domains there are. Nothing is kept between two looks: whatever someone else changed is seen by the next one.
import type { Domain, DomainMetadata, Observation } from '#node-daemon/hypervisor/driver.ts';
import { isDriverError } from '#node-daemon/hypervisor/errors.ts';
import { METADATA_NAMESPACE } from '../domain-xml/metadata.ts';
import { parseMetadata } from '../domain-xml/parse.ts';
import { PROBE_NAME_PREFIX } from '../node/kvm-probe.ts';
import { type Ask, getInfo, getMetadata, getState, listDomains, lookupByUuid } from '../rpc/domain-calls.ts';
import { FAULT, isFault } from '../rpc/faults.ts';
import type { DomainHandle } from '../rpc/values.ts';
import { powerStateOf } from './power-state.ts';

const KIBIBYTE = 1024;

/** Says whether a domain that looks off may be about to run. */
export type Doubt = (uuid: string) => boolean;

/** Every domain of this hypervisor but our own probe; rejects where even one of them cannot be described. */
export async function listAll(ask: Ask, doubt: Doubt): Promise<readonly Domain[]> {
  const handles = (await listDomains(ask)).filter(({ name }) => !name.startsWith(PROBE_NAME_PREFIX));
  const described = await Promise.all(handles.map((handle) => describe(ask, handle, doubt)));
  return described.filter((domain) => domain !== undefined);
}

export async function observe(ask: Ask, uuid: string, doubt: Doubt): Promise<Observation> {
  const handle = await lookup(ask, uuid);
  const domain = handle === undefined ? undefined : await describe(ask, handle, doubt);
  return domain === undefined ? { kind: 'Absent' } : { kind: 'Present', domain };
}

/** Undefined where there is no such domain. */
export function lookup(ask: Ask, uuid: string): Promise<DomainHandle | undefined> {
  return unlessGone(lookupByUuid(ask, uuid));
}

/** Undefined where the domain went away meanwhile. */
function describe(ask: Ask, handle: DomainHandle, doubt: Doubt): Promise<Domain | undefined> {
  const { uuid, name } = handle;
  const asking = Promise.all([getState(ask, uuid), getInfo(ask, uuid), metadataOf(ask, uuid)]);
  return unlessGone(
    asking.then(([state, info, metadata]) => ({
      uuid,
      name,
      ...certain(powerStateOf(state), handle.active || doubt(uuid)),
      ...(metadata === undefined ? {} : { metadata }),
      cpus: info.cpus,
      memoryBytes: Number(info.maxMemoryKiB) * KIBIBYTE,
    })),
  );
}

type Power = ReturnType<typeof powerStateOf>;

/** A domain that is off and has a number, or is just being started, is not off for sure. */
function certain(power: Power, mayRun: boolean): Power {
  return power.powerState === 'ShutOff' && mayRun ? { powerState: 'Unknown' } : power;
}

async function metadataOf(ask: Ask, uuid: string): Promise<DomainMetadata | undefined> {
  try {
    return parseMetadata(await getMetadata(ask, uuid, METADATA_NAMESPACE));
  } catch (error) {
    if (isFault(error, FAULT.noDomainMetadata)) {
      return undefined;
    }
    throw error;
  }
}

async function unlessGone<T>(looking: Promise<T>): Promise<T | undefined> {
  try {
    return await looking;
  } catch (error) {
    if (isDriverError(error, 'NotFound')) {
      return undefined;
    }
    throw error;
  }
}
