// Addresses of a running guest: what its DHCP server gave, else what its host has heard, else what it says itself.
import type { ObservedAddress } from '#node-daemon/hypervisor/driver.ts';
import { DriverError, isDriverError } from '#node-daemon/hypervisor/errors.ts';
import { parseCards } from '../domain-xml/parse-cards.ts';
import { ADDRESS_SOURCE, type Ask, getAddresses, getXml } from '../rpc/domain-calls.ts';
import { FAULT, isFault } from '../rpc/faults.ts';
import { getLeases } from '../rpc/network-calls.ts';
import type { EarlierAddresses, Sighting } from './earlier-addresses.ts';
import { lookup } from './lookup.ts';

/** Loopback and link-local addresses tell nobody where to find the guest. */
const USELESS = /^(?:127\.|169\.254\.|::1$|fe[89ab])/i;
const AGENT_CONNECTED = /<target\b[^<>]*name='org\.qemu\.guest_agent\.0'[^<>]*state='connected'/;

export interface AddressSources {
  readonly ask: Ask;
  /** For the one question that a guest may leave unanswered. */
  readonly patient: Ask;
  readonly earlier: EarlierAddresses;
}

/** Empty where nothing is known, and of a guest that is off. What is left of an earlier run is left out. */
export async function addressesOf(
  { ask, patient, earlier }: AddressSources,
  uuid: string,
): Promise<readonly ObservedAddress[]> {
  const handle = await lookup(ask, uuid);
  if (handle === undefined) {
    throw new DriverError('NotFound', `no domain has the uuid ${uuid}`);
  }
  if (!handle.active) {
    return [];
  }
  const leases = await (earlier.hadLeases(uuid) ? datedLeases(ask, uuid) : sightings(ask, uuid, 'Lease'));
  const leased = earlier.withoutOld(uuid, leases);
  const known = leased.length > 0 ? leased : earlier.withoutOld(uuid, await sightings(ask, uuid, 'ARP'));
  if (known.length > 0 || !AGENT_CONNECTED.test(await getXml(ask, uuid))) {
    return known;
  }
  return (await sightings(patient, uuid, 'Agent')).map(({ address }) => address);
}

/**
 * Starts it, and keeps in mind what was known of its addresses before. That nothing could be learned of them keeps no
 * guest from starting.
 */
export async function startKeepingAddresses(
  { ask, earlier }: Omit<AddressSources, 'patient'>,
  uuid: string,
  start: () => Promise<void>,
): Promise<void> {
  const isOff = await unlessUnknown(async () => (await lookup(ask, uuid))?.active === false);
  if (isOff !== true) {
    await start();
    return;
  }
  earlier.note(uuid, (await unlessUnknown(() => datedLeases(ask, uuid))) ?? []);
  await start();
  // libvirt looks into the ARP table for running guests only; a moment after its start it is not on the network yet.
  earlier.noteMore(uuid, (await unlessUnknown(() => sightings(ask, uuid, 'ARP'))) ?? []);
}

async function unlessUnknown<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (isDriverError(error)) {
      return undefined;
    }
    throw error;
  }
}

const SOURCES = { Lease: ADDRESS_SOURCE.lease, ARP: ADDRESS_SOURCE.arp, Agent: ADDRESS_SOURCE.agent } as const;

async function sightings(ask: Ask, uuid: string, source: keyof typeof SOURCES): Promise<Sighting[]> {
  const interfaces = await getAddresses(ask, uuid, SOURCES[source]).catch(noneKnown);
  return interfaces.flatMap(({ macAddress, ips }) => ips.flatMap((ip) => sighting(source, macAddress, ip)));
}

/** The leases of its network cards, whether it runs or not. */
async function datedLeases(ask: Ask, uuid: string): Promise<Sighting[]> {
  const cards = parseCards(await getXml(ask, uuid));
  const leases = await Promise.all(
    cards.map(({ network, macAddress }) => getLeases(ask, network, macAddress).catch(noneKnown)),
  );
  return leases.flat().flatMap(({ macAddress, ip, expiresAt }) => {
    const found = sighting('Lease', macAddress, ip);
    return expiresAt === 0n ? found : found.map((lease) => ({ ...lease, expiresAt }));
  });
}

function sighting(source: ObservedAddress['source'], macAddress: string | undefined, ip: string): Sighting[] {
  if (macAddress === undefined || USELESS.test(ip)) {
    return [];
  }
  return [{ address: { ip, macAddress: macAddress.toLowerCase(), source } }];
}

/** It went off meanwhile, its network keeps no leases, its agent says nothing: that is not knowing, not failing. */
function noneKnown(error: unknown): [] {
  if (isFault(error, FAULT.operationInvalid) || isDriverError(error, 'Unsupported', 'Failed', 'Invalid')) {
    return [];
  }
  throw error;
}
