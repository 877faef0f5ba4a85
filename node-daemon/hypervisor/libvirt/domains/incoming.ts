// Whether a guest could come here from elsewhere: what its definition names must be there under the same names.
import type { DomainDefinition } from '#node-daemon/hypervisor/driver.ts';
import { DriverError, isDriverError } from '#node-daemon/hypervisor/errors.ts';
import { type Ask, lookupByName } from '../rpc/domain-calls.ts';
import { LibvirtFault } from '../rpc/faults.ts';
import { isNetworkActive } from '../rpc/network-calls.ts';
import { getVolumePath } from '../rpc/storage-calls.ts';
import type { DomainHandle } from '../rpc/values.ts';
import { lookup } from './lookup.ts';

/** Rejects with Invalid, naming the field, or with Conflict. */
export async function checkIncomingDomain(ask: Ask, definition: DomainDefinition): Promise<void> {
  const { uuid, name, disks, interfaces } = definition;
  const [own, namesake] = [await lookup(ask, uuid), await namesakeOf(ask, name)];
  if (own?.active === true) throw new DriverError('Conflict', `uuid: the domain ${own.name} here has it, and runs`);
  if (namesake !== undefined && namesake.uuid !== uuid.toLowerCase())
    throw new DriverError('Conflict', `name: '${name}' belongs to the domain ${namesake.uuid} here`);
  for (const [index, { pool, volume }] of disks.entries()) {
    await there(`disks[${index}]`, async () => getVolumePath(ask, pool, volume));
  }
  for (const [index, { network }] of interfaces.entries()) {
    const field = `interfaces[${index}].network`;
    const active = await there(field, async () => isNetworkActive(ask, network));
    if (!active) throw new DriverError('Invalid', `${field}: the network '${network}' is not active here`);
  }
}

async function there<T>(field: string, look: () => Promise<T>): Promise<T> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof LibvirtFault) throw new DriverError('Invalid', `${field}: ${error.message}`, error);
    throw error;
  }
}

async function namesakeOf(ask: Ask, name: string): Promise<DomainHandle | undefined> {
  return lookupByName(ask, name).catch((error: unknown) => {
    if (isDriverError(error, 'NotFound')) return undefined;
    throw error;
  });
}
