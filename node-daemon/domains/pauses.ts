// How long is waited, in milliseconds, and why it is that long.
import type { DomainMemory } from './memory.ts';

/** A shutdown request within the first seconds of a boot may be lost, so it is repeated. */
export const ASK_AGAIN_MS = 5_000;
/** A stop or start that is over sooner is not worth a write of its own. */
export const WORTH_TELLING_MS = 2_000;
/** After the second crash in a row, Running is told only once the guest has lived this long: one write per crash. */
export const PROVE_ALIVE_MS = 10_000;
export const HYPERVISOR_SILENT_RETRY_MS = 5_000;
/** A hypervisor that does not know a guest's state for so long is not just starting it: that is told. */
export const UNKNOWN_TOLD_MS = 60_000;
/** A guest that ends so long after it was asked may have obeyed, though it has been wanted again since. */
export const OBEDIENCE_MS = 300_000;
/** A guest that goes down for a reboot is looked at again. */
export const REBOOT_LOOK_MS = 2_000;
/** The end of a hold wakes everything; this is in case that it was missed. */
export const HOLD_RETRY_MS = 30_000;
export const LEASE_RETRY_MS = 1_000;
/** What waits for room is tried again this often. */
export const NO_ROOM_RETRY_MS = 30_000;
/** How long the machine itself takes to be looked at, after the daemon began. */
export const ROOM_RETRY_MS = 1_000;

/** Between two looks at a guest that moves. */
export const LOOK_AT_MOVE_MS = 1_000;
/** How far it is, is told this often at most. */
export const PROGRESS_MS = 5_000;
/** What a daemon that has died since asked of the hypervisor is seen there by then. */
export const NO_TRACE_MS = 10_000;
/** The other side mostly tells by then that the guest has arrived: one write less. */
export const OFF_TOLD_MS = 3_000;
/** A guest that is received whole runs by then, and does not stand still half received. */
export const HALF_RECEIVED_MS = 10_000;

/** Who adopts a guest that is not what was granted waits for people; what happens to it is heard sooner. */
export const ADOPTION_RETRY_MS = 30_000;

const RESTART_BASE_MS = 2_000;
const RETRY_BASE_MS = 5_000;
const LONGEST_MS = 300_000;

/** 2 s after the first crash, doubling to 5 minutes. */
export function restartPause(memory: DomainMemory): number {
  return Math.min(RESTART_BASE_MS * 2 ** memory.restarts, LONGEST_MS);
}

/** 5 s after the first failure, doubling to 5 minutes. */
export function retryPause(failures: number): number {
  return Math.min(RETRY_BASE_MS * 2 ** Math.max(0, failures - 1), LONGEST_MS);
}
