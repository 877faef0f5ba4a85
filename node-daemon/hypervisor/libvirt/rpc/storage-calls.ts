// Where a volume of a storage pool lies on the machine.
import type { Ask } from './domain-calls.ts';
import { PROCEDURE } from './procedures.ts';
import { readUuid, uuidBytes } from './values.ts';
import { XdrEncoder } from './xdr-encoder.ts';

/** The absolute path. Rejects with what libvirt says where there is no such pool or volume. */
export async function getVolumePath(ask: Ask, pool: string, volume: string): Promise<string> {
  const poolReply = await ask(PROCEDURE.storagePoolLookupByName, new XdrEncoder().string(pool).finish());
  const poolName = poolReply.string();
  const poolUuid = readUuid(poolReply);
  const wanted = new XdrEncoder().string(poolName).fixed(uuidBytes(poolUuid)).string(volume).finish();
  const volumeReply = await ask(PROCEDURE.storageVolLookupByName, wanted);
  const found = new XdrEncoder();
  for (let part = 0; part < 3; part += 1) {
    found.string(volumeReply.string()); // its pool, its name, its key
  }
  return (await ask(PROCEDURE.storageVolGetPath, found.finish())).string();
}

/** Whose volume a file or block device is. Rejects with what libvirt says where no active pool has it. */
export async function lookupVolume(ask: Ask, path: string): Promise<{ pool: string; volume: string }> {
  const reply = await ask(PROCEDURE.storageVolLookupByPath, new XdrEncoder().string(path).finish());
  return { pool: reply.string(), volume: reply.string() };
}
