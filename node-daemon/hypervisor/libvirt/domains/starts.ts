// Starts whose outcome is open. libvirt calls a domain off until its process is about to run, so "off" alone does not
// mean that it will not run in a moment.
import { isDriverError } from '#node-daemon/hypervisor/errors.ts';
import type { Clock } from '#runtime/clock/clock.ts';
import { NotConnected } from '../rpc/session.ts';

/** A request that was sent and never answered is carried out within this, if it ever is. */
const MAY_YET_RUN_MS = 60_000;

export class OpenStarts {
  readonly #clock: Clock;
  /** By uuid: how many callers wait, and until when an unanswered request is reckoned with. */
  readonly #open = new Map<string, { waiting: number; until: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The start is open until it is answered; for a while longer where it is not. */
  async track(uuid: string, start: () => Promise<void>): Promise<void> {
    const entry = this.#open.get(uuid) ?? { waiting: 0, until: 0 };
    this.#open.set(uuid, entry);
    entry.waiting += 1;
    try {
      await start();
    } catch (error) {
      if (isDriverError(error, 'Timeout', 'Unreachable') && !(error instanceof NotConnected)) {
        entry.until = this.#clock.monotonic() + MAY_YET_RUN_MS;
      }
      throw error;
    } finally {
      entry.waiting -= 1;
      this.isOpen(uuid);
    }
  }

  isOpen(uuid: string): boolean {
    const entry = this.#open.get(uuid);
    if (entry === undefined || entry.waiting > 0 || this.#clock.monotonic() < entry.until) {
      return entry !== undefined;
    }
    this.#open.delete(uuid);
    return false;
  }
}
