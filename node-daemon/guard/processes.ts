// Guests as processes of this machine: QEMU is started with the uuid of its guest among its arguments.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '#runtime/clock/clock.ts';
import type { Killer } from './guard.ts';

export interface ProcessKillerOptions {
  /** /proc, as the machine itself sees it. */
  readonly procDirectory: string;
  readonly clock: Clock;
  /** `process.kill`. */
  readonly signal: (pid: number, signal: 'SIGKILL') => void;
}

/** The kernel takes a process away in milliseconds, unless it waits for a disk. */
const GONE_WITHIN_MS = 2_000;
const LOOK_EVERY_MS = 50;

/** Kills QEMU processes by the uuid of their guests. */
export function processKiller({ procDirectory, clock, signal }: ProcessKillerOptions): Killer {
  return {
    kill: async (uuids) => {
      const found = await guestProcesses(procDirectory, uuids);
      for (const { pid } of found) killQuietly(signal, pid);
      const deadline = clock.monotonic() + GONE_WITHIN_MS;
      let left = found;
      while (left.length > 0 && clock.monotonic() < deadline) {
        await clock.sleep(LOOK_EVERY_MS);
        left = await guestProcesses(procDirectory, uuids);
      }
      return left.map(({ uuid }) => uuid);
    },
  };
}

interface GuestProcess {
  readonly pid: number;
  readonly uuid: string;
}

/** One that has ended has no arguments any more, though its parent may not have asked for it yet. */
async function guestProcesses(procDirectory: string, uuids: readonly string[]): Promise<GuestProcess[]> {
  const pids = (await readdir(procDirectory)).filter((name) => /^[1-9][0-9]*$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const uuid = uuidIn(await readFile(join(procDirectory, pid, 'cmdline'), 'utf8').catch(() => ''));
      return uuid !== undefined && uuids.includes(uuid) ? [{ pid: Number(pid), uuid }] : [];
    }),
  );
  return found.flat();
}

function uuidIn(commandLine: string): string | undefined {
  const args = commandLine.split('\0');
  const at = args.indexOf('-uuid');
  return at > 0 && args[0]?.includes('qemu') === true ? args[at + 1] : undefined;
}

/** It may have ended by itself a moment ago. */
function killQuietly(signal: ProcessKillerOptions['signal'], pid: number): void {
  try {
    signal(pid, 'SIGKILL');
  } catch {
    // Whether it is gone is looked at next.
  }
}
