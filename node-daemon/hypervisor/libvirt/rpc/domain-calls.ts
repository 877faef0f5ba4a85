// The calls about domains, one function each. Arguments and results as libvirt's remote_protocol.x lays them out.
import { MAX_DOMAIN_STATS, MAX_DOMAINS, MAX_INTERFACES } from './limits.ts';
import { PROCEDURE } from './procedures.ts';
import { type DomainHandle, type Parameters, readDomain, readParameters, uuidBytes, writeDomain } from './values.ts';
import type { XdrDecoder } from './xdr-decoder.ts';
import { XdrEncoder } from './xdr-encoder.ts';

/** Sends one call and resolves with the body of the reply, within a time that whoever made it has set. */
export type Ask = (procedure: number, body: Buffer) => Promise<XdrDecoder>;

/** VIR_DOMAIN_METADATA_ELEMENT: XML of our own namespace, as against a title or a description. */
const METADATA_ELEMENT = 2;

export const AFFECT = { current: 0, live: 1, config: 2 } as const;
export const CREATE = { plain: 0, paused: 1, autoDestroy: 2 } as const;
/** That it shall run when it is restored, however it was when it was saved: whoever restores it says otherwise. */
const SAVE_RUNNING = 2;
const LIST = { all: 0, withImage: 0x100 } as const;
export const UNDEFINE = { managedSave: 1, snapshotsMetadata: 2, nvram: 4, checkpointsMetadata: 16 } as const;
export const STATS = { state: 1, cpuTotal: 2, balloon: 4, interface: 16, block: 32 } as const;
/** Only running domains; and none is waited for that is busy or hangs. */
export const STATS_OF = { active: 1, noWait: 0x2000_0000 } as const;
export const ADDRESS_SOURCE = { lease: 0, agent: 1, arp: 2 } as const;

export interface StateAndReason {
  readonly state: number;
  readonly reason: number;
}

export interface DomainInfo {
  readonly maxMemoryKiB: bigint;
  readonly cpus: number;
}

export interface DomainStats {
  readonly uuid: string;
  readonly values: Parameters;
}

export interface InterfaceAddresses {
  readonly macAddress: string | undefined;
  readonly ips: readonly string[];
}

/** Defined and running ones, persistent and transient. */
export async function listDomains(ask: Ask): Promise<DomainHandle[]> {
  return listOf(ask, LIST.all);
}

/** Those whose memory libvirt keeps, or began to write. */
export async function listWithImage(ask: Ask): Promise<DomainHandle[]> {
  return listOf(ask, LIST.withImage);
}

async function listOf(ask: Ask, flags: number): Promise<DomainHandle[]> {
  const reply = await ask(PROCEDURE.connectListAllDomains, new XdrEncoder().int(1).unsigned(flags).finish());
  return reply.list(MAX_DOMAINS, () => readDomain(reply));
}

export async function lookupByUuid(ask: Ask, uuid: string): Promise<DomainHandle> {
  return readDomain(await ask(PROCEDURE.domainLookupByUuid, uuidBytes(uuid)));
}

export async function lookupByName(ask: Ask, name: string): Promise<DomainHandle> {
  return readDomain(await ask(PROCEDURE.domainLookupByName, new XdrEncoder().string(name).finish()));
}

export async function getState(ask: Ask, uuid: string): Promise<StateAndReason> {
  const reply = await ask(PROCEDURE.domainGetState, withFlags(uuid, 0));
  return { state: reply.int(), reason: reply.int() };
}

export async function getInfo(ask: Ask, uuid: string): Promise<DomainInfo> {
  const reply = await ask(PROCEDURE.domainGetInfo, ofDomain(uuid).finish());
  reply.unsigned(); // the state, without its reason
  const maxMemoryKiB = reply.unsignedHyper();
  reply.unsignedHyper(); // what the balloon leaves of it
  return { maxMemoryKiB, cpus: reply.unsigned() };
}

export async function getXml(ask: Ask, uuid: string): Promise<string> {
  return (await ask(PROCEDURE.domainGetXmlDesc, withFlags(uuid, 0))).string();
}

/** The element of this namespace in the domain's metadata, as XML. */
export async function getMetadata(ask: Ask, uuid: string, namespaceUri: string): Promise<string> {
  const body = ofDomain(uuid).int(METADATA_ELEMENT).optionalString(namespaceUri).unsigned(AFFECT.current);
  return (await ask(PROCEDURE.domainGetMetadata, body.finish())).string();
}

export interface MetadataElement {
  /** Undefined: the element is removed. */
  readonly xml: string | undefined;
  readonly prefix: string | undefined;
  readonly namespaceUri: string;
}

export async function setMetadata(ask: Ask, uuid: string, element: MetadataElement, flags: number): Promise<void> {
  const body = ofDomain(uuid)
    .int(METADATA_ELEMENT)
    .optionalString(element.xml)
    .optionalString(element.prefix)
    .optionalString(element.namespaceUri)
    .unsigned(flags);
  await ask(PROCEDURE.domainSetMetadata, body.finish());
}

export async function defineXml(ask: Ask, xml: string): Promise<void> {
  await ask(PROCEDURE.domainDefineXmlFlags, new XdrEncoder().string(xml).unsigned(0).finish());
}

export async function createXml(ask: Ask, xml: string, flags: number): Promise<DomainHandle> {
  return readDomain(await ask(PROCEDURE.domainCreateXml, new XdrEncoder().string(xml).unsigned(flags).finish()));
}

export async function create(ask: Ask, uuid: string, flags: number): Promise<void> {
  await ask(PROCEDURE.domainCreateWithFlags, withFlags(uuid, flags));
}

export async function suspend(ask: Ask, uuid: string): Promise<void> {
  await ask(PROCEDURE.domainSuspend, ofDomain(uuid).finish());
}

export async function resume(ask: Ask, uuid: string): Promise<void> {
  await ask(PROCEDURE.domainResume, ofDomain(uuid).finish());
}

/** Writes its memory to a file of libvirt's own, and ends its process. */
export async function managedSave(ask: Ask, uuid: string): Promise<void> {
  await ask(PROCEDURE.domainManagedSave, withFlags(uuid, SAVE_RUNNING));
}

export async function hasManagedSave(ask: Ask, uuid: string): Promise<boolean> {
  return (await ask(PROCEDURE.domainHasManagedSaveImage, withFlags(uuid, 0))).int() === 1;
}

export async function removeManagedSave(ask: Ask, uuid: string): Promise<void> {
  await ask(PROCEDURE.domainManagedSaveRemove, withFlags(uuid, 0));
}

/** The definition that the image was saved with; refused where the image is not whole. */
export async function getManagedSaveXml(ask: Ask, uuid: string): Promise<string> {
  return (await ask(PROCEDURE.domainManagedSaveGetXmlDesc, withFlags(uuid, 0))).string();
}

export async function shutdown(ask: Ask, uuid: string): Promise<void> {
  await ask(PROCEDURE.domainShutdownFlags, withFlags(uuid, 0));
}

export async function reboot(ask: Ask, uuid: string): Promise<void> {
  await ask(PROCEDURE.domainReboot, withFlags(uuid, 0));
}

export async function destroy(ask: Ask, uuid: string): Promise<void> {
  await ask(PROCEDURE.domainDestroyFlags, withFlags(uuid, 0));
}

export async function undefine(ask: Ask, uuid: string, flags: number): Promise<void> {
  await ask(PROCEDURE.domainUndefineFlags, withFlags(uuid, flags));
}

/** Of all domains; one that hangs comes with less, or not at all. */
export async function getAllStats(ask: Ask, stats: number, flags: number): Promise<DomainStats[]> {
  const everyDomain = 0;
  const body = new XdrEncoder().unsigned(everyDomain).unsigned(stats).unsigned(flags).finish();
  const reply = await ask(PROCEDURE.connectGetAllDomainStats, body);
  return reply.list(MAX_DOMAINS, () => {
    const { uuid } = readDomain(reply);
    return { uuid, values: readParameters(reply, MAX_DOMAIN_STATS) };
  });
}

export async function getAddresses(ask: Ask, uuid: string, source: number): Promise<InterfaceAddresses[]> {
  const body = ofDomain(uuid).unsigned(source).unsigned(0).finish();
  const reply = await ask(PROCEDURE.domainInterfaceAddresses, body);
  return reply.list(MAX_INTERFACES, () => readInterface(reply));
}

function readInterface(reply: XdrDecoder): InterfaceAddresses {
  reply.string(); // its name on the host, or in the guest
  const macAddress = reply.optional(() => reply.string());
  const ips = reply.list(MAX_INTERFACES, () => {
    reply.int(); // IPv4 or IPv6
    const ip = reply.string();
    reply.unsigned(); // the length of its prefix
    return ip;
  });
  return { macAddress, ips };
}

function ofDomain(uuid: string): XdrEncoder {
  return writeDomain(new XdrEncoder(), uuid);
}

function withFlags(uuid: string, flags: number): Buffer {
  return ofDomain(uuid).unsigned(flags).finish();
}
