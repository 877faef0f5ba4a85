// Can CPU time be shared out here? Only the cgroup of a guest that is there can tell: libvirt names no such ability, and
// it depends on how the machine was set up. So the smallest guest is made, which stands still and is gone at once.
import { randomUUID } from 'node:crypto';
import { DriverError, isUnanswered } from '#node-daemon/hypervisor/errors.ts';
import { readShares } from '../domains/limits.ts';
import { type Ask, CREATE, createXml, destroy } from '../rpc/domain-calls.ts';
import { probeXml, tidied } from './probe-guest.ts';

export type CpuTuning =
  /** `defaultShares` is what a guest weighs that says nothing, in this machine's own measure. */
  { readonly works: true; readonly defaultShares: number } | { readonly works: false; readonly why: string };

/** Leaves nothing behind, as `tryKvm` does. */
export async function tryCpuTuning(ask: Ask, type: 'kvm' | 'qemu'): Promise<CpuTuning> {
  return tidied(ask, async () => readFromOne(ask, type));
}

async function readFromOne(ask: Ask, type: 'kvm' | 'qemu'): Promise<CpuTuning> {
  const uuid = randomUUID();
  try {
    await createXml(ask, probeXml(type, uuid), CREATE.paused | CREATE.autoDestroy);
    const defaultShares = await readShares(ask, uuid);
    if (defaultShares !== undefined) return { works: true, defaultShares };
    return { works: false, why: 'libvirt tells no shares of CPU time here' };
  } catch (error) {
    const why = error instanceof DriverError ? error.message : undefined;
    if (why === undefined || isUnanswered(error)) throw error;
    return { works: false, why };
  } finally {
    await destroy(ask, uuid).catch(() => {});
  }
}
