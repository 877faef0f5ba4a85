// Says "alive" by renewing a Lease of one's own, and knows how long the others may still believe it.
import { backoff } from './backoff.ts';
import type { Clock, Random } from './clock.ts';
import { isKubeError } from './kube/errors.ts';
import type { KubeStore } from './kube/store.ts';
import { LEASES, type Lease, type LeaseSpec, microTimestampOf } from './lease.ts';
import type { Logger } from './log.ts';
import { pause, withHardDeadline } from './signals.ts';

export interface HeartbeatOptions {
  store: KubeStore;
  clock: Clock;
  random: Random;
  logger: Logger;
  namespace: string;
  name: string;
  /** Written as holderIdentity. The Lease is this holder's own: whoever else is found in it is replaced. */
  holder: string;
  labels?: Record<string, string>;
  /** Between two renewals; 10 seconds by default. */
  intervalMs?: number;
  /** How long one renewal is good for; 40 seconds by default. */
  leaseDurationSeconds?: number;
}

/** Reading anew helps against these; more rounds than one only when others write at the same moment. */
const ROUNDS = 3;

export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #intervalMs: number;
  readonly #durationSeconds: number;
  readonly #logger: Logger;
  #known: Lease | undefined;
  #validUntil = Number.NEGATIVE_INFINITY;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#intervalMs = options.intervalMs ?? 10_000;
    this.#durationSeconds = options.leaseDurationSeconds ?? 40;
    this.#logger = options.logger.child({ lease: `${options.namespace}/${options.name}` });
    if (this.#intervalMs >= this.#durationSeconds * 1000) {
      throw new RangeError('the heartbeat would expire between renewals: make intervalMs less than the lease duration');
    }
  }

  /**
   * The moment on the monotonic clock (milliseconds) up to which the last renewal is good, counted from before it was
   * sent, so that nobody who watches the Lease finds it expired earlier. Minus infinity before the first one.
   */
  validUntil(): number {
    return this.#validUntil;
  }

  isValid(): boolean {
    return this.#options.clock.monotonic() < this.#validUntil;
  }

  /** Renews until the signal aborts; what fails is tried again sooner. Never rejects. Runs once. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options;
    const retries = backoff({ baseMs: Math.min(1000, this.#intervalMs), maxMs: this.#intervalMs }, random);
    let failing = false;
    while (!signal.aborted) {
      try {
        await withHardDeadline({ clock, milliseconds: this.#intervalMs, signal }, async (cut) => this.renew(cut));
        this.#tellRecovery(failing);
        failing = false;
        retries.reset();
        await pause(clock, this.#intervalMs * (1 - 0.1 * random()), signal);
      } catch (error) {
        this.#tellFailure(error, failing || signal.aborted);
        failing = true;
        await pause(clock, retries.next(), signal);
      }
    }
  }

  /** One renewal; creates the Lease where it is missing. Rejects with a KubeError. */
  async renew(signal?: AbortSignal): Promise<void> {
    for (let round = 1; ; round += 1) {
      try {
        this.#known ??= await this.#read(signal);
        const sentAt = this.#options.clock.monotonic();
        this.#known = await this.#write(this.#known, signal);
        this.#validUntil = Math.max(this.#validUntil, sentAt + this.#durationSeconds * 1000);
        return;
      } catch (error) {
        this.#known = undefined;
        if (round === ROUNDS || !isKubeError(error, 'Conflict', 'NotFound', 'AlreadyExists')) {
          throw error;
        }
      }
    }
  }

  async #read(signal: AbortSignal | undefined): Promise<Lease | undefined> {
    const { store, namespace, name } = this.#options;
    try {
      return await store.get(LEASES, { namespace, name }, signal);
    } catch (error) {
      if (isKubeError(error, 'NotFound')) {
        return undefined;
      }
      throw error;
    }
  }

  async #write(known: Lease | undefined, signal: AbortSignal | undefined): Promise<Lease> {
    const { store, namespace, name, labels } = this.#options;
    const spec = this.#nextSpec(known);
    const named = { namespace, name, ...(labels && { labels }) };
    if (known === undefined) {
      const lease = { apiVersion: LEASES.apiVersion, kind: LEASES.kind, metadata: named, spec };
      return store.create(LEASES, lease, signal);
    }
    const metadata = { resourceVersion: known.metadata.resourceVersion, ...(labels && { labels }) };
    return store.mergePatch(LEASES, { namespace, name }, { metadata, spec }, signal && { signal });
  }

  #nextSpec(known: Lease | undefined): LeaseSpec {
    const { clock, holder } = this.#options;
    const now = microTimestampOf(clock.now());
    const renewal = { holderIdentity: holder, leaseDurationSeconds: this.#durationSeconds, renewTime: now };
    return known?.spec?.holderIdentity === holder ? renewal : { ...renewal, acquireTime: now };
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
