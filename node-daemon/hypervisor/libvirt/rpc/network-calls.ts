// The calls about libvirt's own virtual networks, whose DHCP server keeps leases.
import type { Ask } from './domain-calls.ts';
import { MAX_LEASES } from './limits.ts';
import { PROCEDURE } from './procedures.ts';
import { readUuid, uuidBytes } from './values.ts';
import type { XdrDecoder } from './xdr-decoder.ts';
import { XdrEncoder } from './xdr-encoder.ts';

const NEED_RESULTS = 1;

export interface Lease {
  readonly macAddress: string | undefined;
  readonly ip: string;
  /** Seconds since 1970, later with every renewal; 0 where it never ends. */
  readonly expiresAt: bigint;
}

/** Those that have not expired. Rejects with what libvirt says where there is no such network. */
export async function getLeases(ask: Ask, network: string, macAddress: string): Promise<Lease[]> {
  const found = await ask(PROCEDURE.networkLookupByName, new XdrEncoder().string(network).finish());
  const handle = new XdrEncoder().string(found.string()).fixed(uuidBytes(readUuid(found)));
  const body = handle.optionalString(macAddress).int(NEED_RESULTS).unsigned(0).finish();
  const reply = await ask(PROCEDURE.networkGetDhcpLeases, body);
  return reply.list(MAX_LEASES, () => readLease(reply));
}

/** Rejects with what libvirt says where there is no such network. */
export async function isNetworkActive(ask: Ask, network: string): Promise<boolean> {
  const found = await ask(PROCEDURE.networkLookupByName, new XdrEncoder().string(network).finish());
  const handle = new XdrEncoder().string(found.string()).fixed(uuidBytes(readUuid(found)));
  return (await ask(PROCEDURE.networkIsActive, handle.finish())).boolean();
}

export function readLease(reply: XdrDecoder): Lease {
  const text = () => reply.optional(() => reply.string());
  reply.string(); // the network's interface on this machine
  const expiresAt = reply.hyper();
  reply.int(); // IPv4 or IPv6
  const macAddress = text();
  text(); // the interface as DHCPv6 numbers it
  const ip = reply.string();
  reply.unsigned(); // the length of its prefix
  text(); // the name the guest gave itself
  text(); // the identifier the guest gave itself
  return { macAddress, ip, expiresAt };
}
