// Why a domain was not started, in words that name the field and what to do. libvirt speaks of what it was doing, and
// QEMU of what it was told: its last words come with a time and all its arguments, and differ with every try.
import { DriverError, type DriverErrorReason } from '#node-daemon/hypervisor/errors.ts';
import { parseCards } from '../domain-xml/parse-cards.ts';
import { parseVolumes, type VolumeUse } from '../domain-xml/parse-volumes.ts';
import { type Ask, getXml } from '../rpc/domain-calls.ts';
import { FAULT, type LibvirtFault } from '../rpc/faults.ts';
import { lockedVolume } from './locked-volume.ts';

/** Said by libvirt of what it was asked to define. A start is refused by the machine, which may be mended. */
const OF_THE_DEFINITION: ReadonlySet<DriverErrorReason> = new Set(['Invalid', 'Unsupported', 'Conflict']);
const LOCKED = /Failed to get .*lock|Lockspace resource .* is locked/;
const INACTIVE = /is not active/;
const OTHER_FORMAT = /Image is not in (\S+) format/;

/** Never rejects. Where nothing more is to be found out, libvirt's own words are left. */
export async function explained(ask: Ask, uuid: string, refusal: LibvirtFault): Promise<DriverError> {
  const words = await explanation(ask, uuid, refusal).catch(() => undefined);
  const reason = OF_THE_DEFINITION.has(refusal.reason) ? 'Failed' : refusal.reason;
  return new DriverError(reason, words ?? plainWords(refusal.message), refusal);
}

/** The same for the same cause at every try. */
export function plainWords(message: string): string {
  return message
    .replace(
      /^internal error: (?:process exited while connecting to monitor|qemu unexpectedly closed the monitor): /,
      '',
    )
    .replaceAll(/^[\d-]+T[\d:.]+Z (qemu-system-\S+): /gm, '$1: ')
    .replaceAll(/ -\w+ \{.*?\}: /g, ' ')
    .trim();
}

async function explanation(ask: Ask, uuid: string, refusal: LibvirtFault): Promise<string | undefined> {
  const { message } = refusal;
  if (refusal.code === FAULT.noNetwork || (INACTIVE.test(message) && message.includes('network')))
    return networkWords(await getXml(ask, uuid), message);
  const volumes = parseVolumes(await getXml(ask, uuid)).filter(({ pool }) => pool !== '');
  if (LOCKED.test(message)) return lockedVolume({ ask, uuid, volumes, complaint: message });
  const format = OTHER_FORMAT.exec(message)?.[1];
  return format === undefined ? volumeWords(volumes, refusal) : formatWords(volumes, format);
}

function networkWords(xml: string, message: string): string | undefined {
  const card = parseCards(xml).find(({ network }) => message.includes(`'${network}'`));
  if (card === undefined) return undefined;
  const { network } = card;
  return INACTIVE.test(message)
    ? `interfaces[].network: the network '${network}' is not active here; start it (virsh net-start ${network})`
    : `interfaces[].network: there is no network '${network}' here; define it (virsh net-define), or correct the name`;
}

function volumeWords(volumes: readonly VolumeUse[], refusal: LibvirtFault): string | undefined {
  const named = (name: string) => refusal.message.includes(`'${name}'`);
  const found = volumes.find(({ pool, volume }) => named(pool) || named(volume));
  if (found === undefined) return undefined;
  const { pool, volume } = found;
  if (refusal.code === FAULT.noStoragePool)
    return `disks[].pool: there is no storage pool '${pool}' here; define and start it (virsh pool-define-as), or correct the name`;
  if (refusal.code === FAULT.noStorageVolume)
    return `disks[].volume: the storage pool '${pool}' has no volume '${volume}' here; put it there (after copying a file, virsh pool-refresh ${pool}), or correct the name`;
  if (INACTIVE.test(refusal.message))
    return `disks[].pool: the storage pool '${pool}' is not active here; start it (virsh pool-start ${pool})`;
  return undefined;
}

function formatWords(volumes: readonly VolumeUse[], format: string): string | undefined {
  const suspects = volumes.filter((volume) => volume.format === format);
  if (suspects.length === 0) return undefined;
  const names = suspects.map(({ pool, volume }) => `'${volume}' in pool '${pool}'`).join(' or ');
  return `disks[].format: the volume ${names} is not in ${format} format; say what it is (qemu-img info tells)`;
}
