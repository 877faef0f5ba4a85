// Addresses of a running guest: what its DHCP server gave, else what its host has heard, else what it says itself.
import type { ObservedAddress } from '#node-daemon/hypervisor/driver.ts';
import { DriverError, isDriverError } from '#node-daemon/hypervisor/errors.ts';
import { ADDRESS_SOURCE, type Ask, getAddresses, getXml } from '../rpc/domain-calls.ts';
import { FAULT, isFault } from '../rpc/faults.ts';
import { lookup } from './inventory.ts';

/** Loopback and link-local addresses tell nobody where to find the guest. */
const USELESS = /^(?:127\.|169\.254\.|::1$|fe[89ab])/i;
const AGENT_CONNECTED = /<target\b[^<>]*name='org\.qemu\.guest_agent\.0'[^<>]*state='connected'/;

/**
 * Empty where nothing is known, and of a guest that is off. `patient` is for the one question that a guest may leave
 * unanswered.
 */
export async function addressesOf(ask: Ask, patient: Ask, uuid: string): Promise<readonly ObservedAddress[]> {
  const handle = await lookup(ask, uuid);
  if (handle === undefined) {
    throw new DriverError('NotFound', `no domain has the uuid ${uuid}`);
  }
  if (!handle.active) {
    return [];
  }
  const leases = await fromSource(ask, uuid, 'Lease');
  const known = leases.length > 0 ? leases : await fromSource(ask, uuid, 'ARP');
  if (known.length > 0 || !AGENT_CONNECTED.test(await getXml(ask, uuid))) {
    return known;
  }
  return fromSource(patient, uuid, 'Agent');
}

const SOURCES = { Lease: ADDRESS_SOURCE.lease, ARP: ADDRESS_SOURCE.arp, Agent: ADDRESS_SOURCE.agent } as const;

async function fromSource(ask: Ask, uuid: string, source: keyof typeof SOURCES): Promise<ObservedAddress[]> {
  try {
    const interfaces = await getAddresses(ask, uuid, SOURCES[source]);
    return interfaces.flatMap(({ macAddress, ips }) =>
      macAddress === undefined
        ? []
        : ips.filter((ip) => !USELESS.test(ip)).map((ip) => ({ ip, macAddress: macAddress.toLowerCase(), source })),
    );
  } catch (error) {
    return noneKnown(error);
  }
}

/** It went off meanwhile, its network keeps no leases, its agent says nothing: that is not knowing, not failing. */
function noneKnown(error: unknown): [] {
  if (isFault(error, FAULT.operationInvalid) || isDriverError(error, 'Unsupported', 'Failed', 'Invalid')) {
    return [];
  }
  throw error;
}
