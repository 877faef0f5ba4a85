// Says "alive" by renewing a Lease that nobody else holds, and knows how long the others may still believe it.
import { backoff } from '../clock/backoff.ts';
import type { Clock, Random } from '../clock/clock.ts';
import { pause, withHardDeadline } from '../clock/signals.ts';
import { KubeError } from '../kube/errors.ts';
import type { KubeStore } from '../kube/store.ts';
import { ExpectedError } from '../process/expected-error.ts';
import type { Logger } from '../process/log.ts';
import { type Annotations, ExclusiveLease, type Held } from './exclusive-lease.ts';
import type { Lease } from './lease.ts';

export interface HeartbeatOptions {
  store: KubeStore;
  clock: Clock;
  random: Random;
  logger: Logger;
  namespace: string;
  name: string;
  /** Written as holderIdentity. Whoever comes back under the same one goes on at once. */
  holder: string;
  labels?: Record<string, string>;
  /** Asked before each renewal is sent, and written with it; all of them go when the Lease is given up. */
  annotations?: () => Annotations;
  /** Told after each renewal that is known to have succeeded when it was sent, on the monotonic clock. */
  onRenewed?: (sentAt: number) => void;
  /** Told when the Lease had been another's for a while, or nobody's, and is one's own again. */
  onRegained?: () => void;
  /** Between two renewals; 10 seconds by default. */
  intervalMs?: number;
  /** How long one renewal is good for; 40 seconds by default. */
  leaseDurationSeconds?: number;
  /** Told the resource version of each renewal, in their order. */
  onVersion?: ((resourceVersion: string) => void) | undefined;
  /** See `ExclusiveLeaseOptions`. */
  onSurprise?: ((found: Lease | undefined, written: Lease) => void) | undefined;
}

/** Another holds the Lease, and his time is not up. */
export class LeaseTaken extends ExpectedError {
  override readonly name = 'LeaseTaken';
  readonly holder: string;

  constructor(lease: string, holder: string) {
    super(`the Lease ${lease} is held by ${holder}`);
    this.holder = holder;
  }
}

const CLAIM_MS = 2_000;
const RELEASE_WITHIN_MS = 5_000;

export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #intervalMs: number;
  readonly #durationSeconds: number;
  readonly #lease: ExclusiveLease;
  readonly #logger: Logger;
  #held: Held | undefined;
  #validUntil = Number.NEGATIVE_INFINITY;

  constructor(options: HeartbeatOptions) {
    const { holder, labels } = options;
    this.#options = options;
    this.#intervalMs = options.intervalMs ?? 10_000;
    this.#durationSeconds = options.leaseDurationSeconds ?? 40;
    const leaseDurationMs = this.#durationSeconds * 1000;
    this.#lease = new ExclusiveLease({ ...options, identity: holder, leaseDurationMs, labels });
    this.#logger = options.logger.child({ lease: this.#leaseName });
    if (this.#intervalMs >= leaseDurationMs) {
      throw new RangeError('the heartbeat would expire between renewals: make intervalMs less than the lease duration');
    }
  }

  /**
   * The moment on the monotonic clock (milliseconds) up to which the last renewal is good, counted from before it was
   * sent, so that nobody who watches the Lease finds it expired earlier. Minus infinity before the first one, and once
   * another was found to hold the Lease.
   */
  validUntil(): number {
    return this.#validUntil;
  }

  isValid(): boolean {
    return this.#options.clock.monotonic() < this.#validUntil;
  }

  /**
   * Resolves when the Lease is one's own: at once where it is free, else when its holder has not changed it for its
   * whole duration. Tells of each other holder that is found. Rejects only with the signal's reason.
   */
  async claim(signal: AbortSignal, onHeld: (holder: string) => void): Promise<void> {
    const retries = this.#retries();
    const known = new Set<string>();
    for (;;) {
      signal.throwIfAborted();
      try {
        await this.#renewInTime(signal);
        return;
      } catch (error) {
        const other = error instanceof LeaseTaken ? error.holder : undefined;
        if (other === undefined) this.#tellFailure(error, signal.aborted);
        else if (!known.has(other)) onHeld(other);
        if (other !== undefined) known.add(other);
        const wait = other === undefined ? retries.next() : Math.min(CLAIM_MS, this.#intervalMs);
        await pause(this.#options.clock, wait, signal);
      }
    }
  }

  /**
   * Renews until the signal aborts; what fails is tried again sooner. Rejects with LeaseTaken, and with nothing else,
   * where another was found to hold the Lease: it is not touched then. Runs once.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options;
    const retries = this.#retries();
    let failing = false;
    let wait = this.#held === undefined ? 0 : this.#intervalMs * (1 - 0.1 * random());
    for (;;) {
      await pause(clock, wait, signal);
      if (signal.aborted) return;
      try {
        await this.#renewInTime(signal);
        this.#tellRecovery(failing);
        failing = false;
        retries.reset();
        wait = this.#intervalMs * (1 - 0.1 * random());
      } catch (error) {
        if (error instanceof LeaseTaken) throw error;
        this.#tellFailure(error, failing || signal.aborted);
        failing = true;
        wait = retries.next();
      }
    }
  }

  /** One renewal; creates the Lease where it is missing. Rejects with LeaseTaken or a KubeError. */
  async renew(signal: AbortSignal = new AbortController().signal): Promise<void> {
    this.#held = await this.#renewed(signal);
    if (this.#held !== undefined) {
      this.#validUntil = Math.max(this.#validUntil, this.#held.sentAt + this.#durationSeconds * 1000);
      this.#options.onRenewed?.(this.#held.sentAt);
      this.#options.onVersion?.(this.#held.lease.metadata.resourceVersion ?? '');
      return;
    }
    const { otherHolder } = this.#lease;
    if (otherHolder === undefined) throw new KubeError('Conflict', 'somebody else wrote to the Lease meanwhile');
    this.#validUntil = Number.NEGATIVE_INFINITY;
    throw new LeaseTaken(this.#leaseName, otherHolder);
  }

  /**
   * Gives the Lease up, if it is one's own: the next holder need not wait. False where that is not known to have been
   * done, which is logged: it expires then.
   */
  async release(): Promise<boolean> {
    const limit = { clock: this.#options.clock, milliseconds: RELEASE_WITHIN_MS };
    this.#validUntil = Number.NEGATIVE_INFINITY;
    this.#held = undefined;
    try {
      await withHardDeadline(limit, async (cut) => this.#lease.release(cut));
      return true;
    } catch (error) {
      this.#logger.warn('the heartbeat lease could not be given back, others wait until it expires', { error });
      return false;
    }
  }

  async #renewed(signal: AbortSignal): Promise<Held | undefined> {
    const before = this.#held;
    const held = before === undefined ? undefined : await this.#lease.renew(before, signal);
    if (held !== undefined) return held;
    const acquired = await this.#lease.tryAcquire(signal);
    if (before !== undefined && acquired !== undefined) this.#options.onRegained?.();
    return acquired;
  }

  async #renewInTime(signal: AbortSignal): Promise<void> {
    const limit = { clock: this.#options.clock, milliseconds: this.#intervalMs, signal };
    await withHardDeadline(limit, async (cut) => this.renew(cut));
  }

  get #leaseName(): string {
    return `${this.#options.namespace}/${this.#options.name}`;
  }

  #retries() {
    return backoff({ baseMs: Math.min(1000, this.#intervalMs), maxMs: this.#intervalMs }, this.#options.random);
  }

  #tellFailure(error: unknown, alreadyTold: boolean): void {
    const level = alreadyTold ? 'debug' : 'warn';
    this.#logger[level]('the heartbeat could not be renewed, will be retried', { error });
  }

  #tellRecovery(failing: boolean): void {
    if (failing) {
      this.#logger.info('the heartbeat is renewed again');
    }
  }
}
