// Notices a peer that is there and dead: a stopped libvirtd keeps its socket open for ever.

import { DriverError } from '#node-daemon/hypervisor/errors.ts';
import type { Clock } from '#runtime/clock/clock.ts';
import type { Connection } from './connection.ts';

const PING_EVERY_MS = 5_000;
const DEAD_AFTER_MS = 30_000;

/**
 * Pings where nothing was heard for five seconds and closes the connection where nothing was heard for thirty, so at
 * most 35 s after the last sign of life. Ends with the connection.
 */
export async function keepAlive(connection: Connection, clock: Clock): Promise<void> {
  const ended = new AbortController();
  void connection.closed.then(() => ended.abort());
  try {
    for (;;) {
      await clock.sleep(PING_EVERY_MS, ended.signal);
      checkPulse(connection, clock.monotonic());
    }
  } catch (error) {
    if (!ended.signal.aborted) {
      throw error;
    }
  }
}

function checkPulse(connection: Connection, now: number): void {
  const silentMs = now - connection.lastReceived;
  if (silentMs >= DEAD_AFTER_MS) {
    const seconds = Math.round(silentMs / 1000);
    connection.close(new DriverError('Unreachable', `libvirt was silent for ${seconds} s and is taken for dead`));
  } else if (silentMs >= PING_EVERY_MS) {
    connection.ping();
  }
}
