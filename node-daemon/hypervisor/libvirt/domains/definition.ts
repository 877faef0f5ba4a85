// Making domains known and forgetting them, and what is written into them.
import type { DomainDefinition, DomainMetadata } from '#node-daemon/hypervisor/driver.ts';
import { DriverError, isDriverError } from '#node-daemon/hypervisor/errors.ts';
import { checkMetadata } from '../domain-xml/check-definition.ts';
import { render } from '../domain-xml/element.ts';
import { METADATA_NAMESPACE, METADATA_PREFIX, metadataElement, releasedElement } from '../domain-xml/metadata.ts';
import {
  AFFECT,
  type Ask,
  defineXml,
  getMetadata,
  lookupByName,
  type MetadataElement,
  setMetadata,
  UNDEFINE,
  undefine,
} from '../rpc/domain-calls.ts';
import { FAULT, isFault } from '../rpc/faults.ts';
import type { DomainHandle } from '../rpc/values.ts';
import { refuseWithImage } from './image.ts';
import { lookup, unlessGone } from './lookup.ts';

/** `xml` is what was built from the definition. */
export async function defineDomain(ask: Ask, { uuid, name }: DomainDefinition, xml: string): Promise<void> {
  const handle = await lookup(ask, uuid);
  refuseActive(handle, 'it cannot be defined anew');
  if (handle !== undefined) {
    await refuseWithImage(ask, uuid);
  }
  try {
    await defineXml(ask, xml);
  } catch (error) {
    const owner = isFault(error, FAULT.operationFailed) ? await ownerOf(ask, name) : undefined;
    if (owner !== undefined && owner.uuid !== uuid.toLowerCase()) {
      throw new DriverError('Conflict', `name: '${name}' belongs to the domain ${owner.uuid} here`, error);
    }
    throw error;
  }
}

/** What a saved state, firmware variables and snapshots leave behind is removed with the domain. */
export async function undefineDomain(ask: Ask, uuid: string): Promise<void> {
  const handle = await lookup(ask, uuid);
  refuseActive(handle, 'it cannot be forgotten');
  if (handle !== undefined) {
    await undefineWithRemains(ask, uuid);
  }
}

/** Writes to the running guest and to its definition, so that a restart keeps it. */
export async function writeMetadata(ask: Ask, uuid: string, metadata: DomainMetadata): Promise<void> {
  checkMetadata(metadata);
  await refuseWithImage(ask, uuid);
  await changeMetadata(ask, uuid, {
    xml: render(metadataElement(metadata)),
    prefix: METADATA_PREFIX,
    namespaceUri: METADATA_NAMESPACE,
  });
}

/** In the running guest and in its definition only a note is left. Quiet where there is nothing of ours. */
export async function removeMetadata(ask: Ask, uuid: string): Promise<void> {
  await refuseWithImage(ask, uuid);
  try {
    if ((await ourElement(ask, uuid)) === undefined) return;
    const xml = render(releasedElement());
    await changeMetadata(ask, uuid, { xml, prefix: METADATA_PREFIX, namespaceUri: METADATA_NAMESPACE });
  } catch (error) {
    if (!isDriverError(error, 'NotFound')) throw error;
  }
}

/** As XML; undefined where the domain bears none. */
export async function ourElement(ask: Ask, uuid: string): Promise<string | undefined> {
  try {
    return await getMetadata(ask, uuid, METADATA_NAMESPACE);
  } catch (error) {
    if (isFault(error, FAULT.noDomainMetadata)) return undefined;
    throw error;
  }
}

async function changeMetadata(ask: Ask, uuid: string, element: MetadataElement): Promise<void> {
  try {
    await setMetadata(ask, uuid, element, AFFECT.live | AFFECT.config);
  } catch (error) {
    if (!isFault(error, FAULT.operationInvalid)) {
      throw error;
    }
    await setMetadata(ask, uuid, element, AFFECT.current); // it is off, or it has no definition that outlives it
  }
}

const { managedSave, snapshotsMetadata, nvram, checkpointsMetadata } = UNDEFINE;

/** Drivers refuse the flags they do not know: each next set asks for less. */
const REMAINS = [
  managedSave | snapshotsMetadata | nvram | checkpointsMetadata,
  managedSave | snapshotsMetadata | checkpointsMetadata,
  managedSave,
  0,
] as const;

async function undefineWithRemains(ask: Ask, uuid: string): Promise<void> {
  for (const flags of REMAINS) {
    try {
      await undefine(ask, uuid, flags);
      return;
    } catch (error) {
      if (isDriverError(error, 'NotFound')) {
        return;
      }
      if (flags === 0 || !isFault(error, FAULT.invalidArgument)) {
        throw error;
      }
    }
  }
}

async function ownerOf(ask: Ask, name: string): Promise<DomainHandle | undefined> {
  return unlessGone(lookupByName(ask, name));
}

function refuseActive(handle: DomainHandle | undefined, consequence: string): void {
  if (handle?.active === true) {
    throw new DriverError('Busy', `the domain '${handle.name}' runs: ${consequence} before it is off`);
  }
}
