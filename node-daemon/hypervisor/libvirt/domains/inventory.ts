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

/** Every domain of this hypervisor but our own probe; rejects where even one of them cannot be described. */
export async function listAll(ask: Ask): Promise<readonly Domain[]> {
  const handles = (await listDomains(ask)).filter(({ name }) => !name.startsWith(PROBE_NAME_PREFIX));
  const described = await Promise.all(handles.map((handle) => describe(ask, handle)));
  return described.filter((domain) => domain !== undefined);
}

export async function observe(ask: Ask, uuid: string): Promise<Observation> {
  const handle = await lookup(ask, uuid);
  const domain = handle === undefined ? undefined : await describe(ask, handle);
  return domain === undefined ? { kind: 'Absent' } : { kind: 'Present', domain };
}

/** Undefined where there is no such domain. */
export function lookup(ask: Ask, uuid: string): Promise<DomainHandle | undefined> {
  return unlessGone(lookupByUuid(ask, uuid));
}

/** Undefined where the domain went away meanwhile. */
function describe(ask: Ask, { uuid, name }: DomainHandle): Promise<Domain | undefined> {
  return unlessGone(
    Promise.all([getState(ask, uuid), getInfo(ask, uuid), metadataOf(ask, uuid)]).then(([state, info, metadata]) => ({
      uuid,
      name,
      ...powerStateOf(state),
      ...(metadata === undefined ? {} : { metadata }),
      cpus: info.cpus,
      memoryBytes: Number(info.maxMemoryKiB) * KIBIBYTE,
    })),
  );
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
