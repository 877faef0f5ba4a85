// Does KVM work here? libvirt lists it wherever /dev/kvm opens, and yet there are machines (nested ones, mostly) on which
// its guests never execute an instruction. So one is run, the smallest there is. It resets itself, which ends it, and its
// end proves that thousands of instructions were executed. It takes under a second where KVM works.
import { randomUUID } from 'node:crypto';
import { DriverError, isDriverError, isUnanswered } from '#node-daemon/hypervisor/errors.ts';
import type { Clock } from '#runtime/clock/clock.ts';
import { type Ask, CREATE, createXml, destroy, lookupByUuid } from '../rpc/domain-calls.ts';
import { probeXml, tidied } from './probe-guest.ts';

const PATIENCE_MS = 8_000;
const LOOK_EVERY_MS = 100;

export type KvmTrial = { readonly works: true } | { readonly works: false; readonly why: string };

/**
 * Leaves nothing behind: the guest is transient, and libvirt destroys it with the connection if nobody else does. Where
 * libvirtd itself was killed meanwhile it stays, and the next probe removes it.
 */
export async function tryKvm(ask: Ask, clock: Clock): Promise<KvmTrial> {
  return tidied(ask, async () => guestEnds(ask, clock));
}

async function guestEnds(ask: Ask, clock: Clock): Promise<KvmTrial> {
  const uuid = randomUUID();
  try {
    await createXml(ask, probeXml('kvm', uuid), CREATE.autoDestroy);
  } catch (error) {
    const why = error instanceof DriverError ? error.message : undefined;
    if (why === undefined || isUnanswered(error)) throw error;
    return { works: false, why };
  }
  try {
    if (await endsInTime(ask, clock, uuid)) return { works: true };
    return { works: false, why: `a tiny one got nowhere within ${PATIENCE_MS / 1000} s` };
  } finally {
    await destroy(ask, uuid).catch(() => {});
  }
}

async function endsInTime(ask: Ask, clock: Clock, uuid: string): Promise<boolean> {
  const deadline = clock.monotonic() + PATIENCE_MS;
  while (clock.monotonic() < deadline) {
    await clock.sleep(LOOK_EVERY_MS);
    if (await isGone(ask, uuid)) {
      return true;
    }
  }
  return false;
}

async function isGone(ask: Ask, uuid: string): Promise<boolean> {
  return lookupByUuid(ask, uuid).then(
    () => false,
    (error: unknown) => {
      if (isDriverError(error, 'NotFound')) {
        return true;
      }
      throw error;
    },
  );
}
