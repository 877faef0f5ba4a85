// The memory of guests that is kept on disk: libvirt's managed save, one file for each domain in a place of its own.
import type { DomainMetadata } from '#node-daemon/hypervisor/driver.ts';
import { DriverError, isDriverError } from '#node-daemon/hypervisor/errors.ts';
import { parseMetadata } from '../domain-xml/parse.ts';
import { type Ask, getManagedSaveXml, hasManagedSave, managedSave, removeManagedSave } from '../rpc/domain-calls.ts';
import { LibvirtFault } from '../rpc/faults.ts';
import { lookup } from './lookup.ts';

export interface Image {
  /** What the image bears; undefined where it is not ours, or where this hypervisor does not show it. */
  readonly metadata: DomainMetadata | undefined;
  readonly shown: boolean;
}

/**
 * What libvirt says of an image that was not written to its end, as when the machine lost its power meanwhile: it throws
 * such a one away at the next start, and starts the guest anew.
 */
const NOT_WHOLE = /incomplete/;

/** Of a domain that is off; undefined where there is none that could be restored. */
export async function imageOf(ask: Ask, uuid: string): Promise<Image | undefined> {
  return (await isKept(ask, uuid)) ? readImage(ask, uuid) : undefined;
}

/** Of a domain for which libvirt has a file, whatever is in it. */
export async function readImage(ask: Ask, uuid: string): Promise<Image | undefined> {
  try {
    return { metadata: parseMetadata(await getManagedSaveXml(ask, uuid)), shown: true };
  } catch (error) {
    if (error instanceof LibvirtFault && (NOT_WHOLE.test(error.message) || !(await isKept(ask, uuid)))) {
      return undefined;
    }
    // It cannot be looked into here: what libvirt calls an image is one until a restore shows otherwise.
    if (error instanceof LibvirtFault && !isDriverError(error, 'NotFound', 'Timeout')) {
      return { metadata: undefined, shown: false };
    }
    throw error;
  }
}

/** Rejects with Busy where it is off and has none. */
export async function hibernateDomain(save: Ask, ask: Ask, uuid: string): Promise<void> {
  try {
    await managedSave(save, uuid);
  } catch (error) {
    const handle = error instanceof LibvirtFault ? await lookup(ask, uuid) : undefined;
    if (handle === undefined || handle.active) {
      throw error;
    }
    if ((await imageOf(ask, uuid)) === undefined) {
      throw new DriverError('Busy', `the domain '${handle.name}' is off: there is no memory to keep`, error);
    }
  }
}

export async function discardImage(ask: Ask, uuid: string): Promise<void> {
  try {
    await removeManagedSave(ask, uuid);
  } catch (error) {
    if (isDriverError(error, 'NotFound')) {
      return;
    }
    if (!(error instanceof LibvirtFault) || (await isKept(ask, uuid))) {
      throw error;
    }
  }
}

/** Throws Busy where the domain has an image: what it is and bears must stay what it was saved with. */
export async function refuseWithImage(ask: Ask, uuid: string): Promise<void> {
  if ((await imageOf(ask, uuid)) !== undefined) {
    throw new DriverError('Busy', `the memory of the domain ${uuid} is kept: it cannot be changed before that is used`);
  }
}

/** For a domain that was found to have no image: throws Failed unless it is there and runs already, or is not there at all. */
export async function refuseWithoutImage(ask: Ask, uuid: string): Promise<void> {
  if ((await lookup(ask, uuid))?.active === false) {
    throw new DriverError('Failed', `the memory of the domain ${uuid} is not kept here any more`);
  }
}

async function isKept(ask: Ask, uuid: string): Promise<boolean> {
  try {
    return await hasManagedSave(ask, uuid);
  } catch (error) {
    if (isDriverError(error, 'NotFound', 'Unsupported')) {
      return false;
    }
    throw error;
  }
}
