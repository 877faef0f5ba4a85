// Who has a volume that a domain was not given. QEMU and virtlockd say only that it is locked.
import { parseMetadata } from '../domain-xml/parse.ts';
import { parseVolumes, type VolumeUse } from '../domain-xml/parse-volumes.ts';
import { type Ask, getXml, listDomains } from '../rpc/domain-calls.ts';
import { getVolumePath } from '../rpc/storage-calls.ts';

export interface Lockout {
  readonly ask: Ask;
  /** Of the domain that was not started. */
  readonly uuid: string;
  /** Its own. */
  readonly volumes: readonly VolumeUse[];
  /** Names the path of the volume, as far as libvirt or QEMU do. */
  readonly complaint: string;
}

/** Names the volume and, where it runs on this machine, the guest that has it. */
export async function lockedVolume(lockout: Lockout): Promise<string> {
  const suspects = await suspectsOf(lockout);
  const found = await userOf(suspects, lockout);
  if (found !== undefined)
    return `disks[].volume: the volume ${inWords(found.volume)} is in use by ${found.user}; stop that guest, or give this VM a volume of its own`;
  const names = suspects.map(inWords).join(' or ');
  return `disks[].volume: the volume ${names} is in use, though by no guest on this hypervisor; look for its user on the others that share the pool`;
}

/** The ones whose path is complained of; all of them where that names none. */
async function suspectsOf({ ask, volumes, complaint }: Lockout): Promise<readonly VolumeUse[]> {
  const located = await Promise.all(
    volumes.map(async (volume) => ({ ...volume, path: await getVolumePath(ask, volume.pool, volume.volume) })),
  );
  const named = located.filter(({ path }) => complaint.includes(path));
  return named.length > 0 ? named : located;
}

async function userOf(
  suspects: readonly VolumeUse[],
  { ask, uuid }: Lockout,
): Promise<{ volume: VolumeUse; user: string } | undefined> {
  const others = (await listDomains(ask)).filter((domain) => domain.active && domain.uuid !== uuid);
  for (const domain of others) {
    const xml = await getXml(ask, domain.uuid).catch(() => '');
    const theirs = parseVolumes(xml);
    const volume = suspects.find((suspect) => theirs.some((their) => clash(suspect, their)));
    if (volume !== undefined) return { volume, user: userName(domain.name, xml) };
  }
  return undefined;
}

function clash(mine: VolumeUse, their: VolumeUse): boolean {
  const same = their.pool === '' ? their.path === mine.path : their.pool === mine.pool && their.volume === mine.volume;
  return same && !(mine.readOnly && their.readOnly);
}

/** As users know it, where it is one of theirs. */
function userName(domain: string, xml: string): string {
  const metadata = parseMetadata(xml);
  return metadata === undefined
    ? `the domain '${domain}', which Usher did not make`
    : `the VirtualMachine ${metadata.namespace}/${metadata.name}`;
}

function inWords({ pool, volume }: VolumeUse): string {
  return `'${volume}' in pool '${pool}'`;
}
