// One leader among several processes, by a Lease. The leader believes in itself for less time than the others do.
import type { Clock, Random } from '../clock/clock.ts';
import { pause, whenAborted, withHardDeadline } from '../clock/signals.ts';
import { isKubeError } from '../kube/errors.ts';
import { inWords } from '../kube/explain.ts';
import type { KubeStore } from '../kube/store.ts';
import type { Logger } from '../process/log.ts';
import { ExclusiveLease, type Held } from './exclusive-lease.ts';

/** How long the work may take to end after `stop`, while the lease is still renewed. */
const HAND_OVER_MS = 20_000;

export interface LeaderElectionOptions {
  store: KubeStore;
  clock: Clock;
  random: Random;
  logger: Logger;
  namespace: string;
  name: string;
  /** Unique to this process: two that share it would both lead. */
  identity: string;
  /** How long others wait after the last renewal they saw; whole seconds, 15,000 by default. */
  leaseDurationMs?: number;
  /** How long the leader believes in a renewal, from before it was sent; 10,000 by default. */
  renewDeadlineMs?: number;
  /** Between two tries, less up to a fifth by chance; 2,000 by default. */
  retryMs?: number;
  observer?: LeadershipObserver;
}

export interface LeadershipObserver {
  leading?(leads: boolean): void;
  /** Why nobody can tell who leads, and what to do; undefined once that is known. */
  doubtful?(words: string | undefined): void;
}

export interface Leadership {
  /**
   * Does the leader's work; resolves or rejects when it has ended. Once `leading` aborts, others may lead: nothing may
   * be written any more.
   */
  onLeading(leading: AbortSignal): Promise<void>;
  /** Please end the work: it gets twenty seconds for that, then the lease is given back. */
  stop: AbortSignal;
}

/** Why a `leading` signal aborted. */
export class LeadershipLost extends Error {
  override readonly name = 'LeadershipLost';
}

export class LeaderElection {
  readonly #options: Required<Omit<LeaderElectionOptions, 'observer'>> & Pick<LeaderElectionOptions, 'observer'>;
  readonly #lease: ExclusiveLease;
  readonly #logger: Logger;
  /** The monotonic moment at which belief in one's own leadership ends. */
  #believesUntil = Number.NEGATIVE_INFINITY;

  constructor(options: LeaderElectionOptions) {
    const defaults = { leaseDurationMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2000 };
    this.#options = { ...defaults, ...options };
    this.#lease = new ExclusiveLease(this.#options);
    this.#logger = options.logger.child({ lease: `${options.namespace}/${options.name}`, identity: options.identity });
    const { leaseDurationMs, renewDeadlineMs, retryMs } = this.#options;
    if (!(retryMs < renewDeadlineMs && renewDeadlineMs < leaseDurationMs)) {
      throw new RangeError('leader election needs retryMs < renewDeadlineMs < leaseDurationMs, else two could lead');
    }
  }

  /** Asked right before a write, it is right even where the process was frozen and no signal could abort yet. */
  isLeading(): boolean {
    return this.#options.clock.monotonic() < this.#believesUntil;
  }

  /**
   * Waits for leadership, works, and waits again if it was lost; until `stop`, or until the work ends by itself.
   * Rejects only with what the work rejected with while it led. Runs once.
   */
  async run(leadership: Leadership): Promise<void> {
    const { stop } = leadership;
    let ended = false;
    while (!ended && !stop.aborted) {
      const held = await this.#campaign(stop);
      if (held !== undefined) {
        ended = await this.#lead(held, leadership);
      }
    }
  }

  /** Tries until it holds the lease; undefined when it was stopped before. */
  async #campaign(stop: AbortSignal): Promise<Held | undefined> {
    const { clock, renewDeadlineMs: milliseconds } = this.#options;
    for (let failures = 0; !stop.aborted; await this.#pause(stop)) {
      try {
        const held = await withHardDeadline({ clock, milliseconds, signal: stop }, async (cut) =>
          this.#lease.tryAcquire(cut),
        );
        failures = 0;
        this.#options.observer?.doubtful?.(undefined);
        if (held !== undefined) {
          return held;
        }
      } catch (error) {
        const level = failures === 0 && !stop.aborted ? 'warn' : 'debug';
        failures += 1;
        this.#options.observer?.doubtful?.(isKubeError(error) ? inWords(error) : String(error));
        this.#logger[level]('the leader lease could not be looked at, will be retried', { error });
      }
    }
    return undefined;
  }

  /** True when the work has ended by itself or was stopped, false when leadership was lost. */
  async #lead(first: Held, leadership: Leadership): Promise<boolean> {
    if (!this.#believe(first)) {
      return false;
    }
    const { stop } = leadership;
    const lost = new AbortController();
    const ended = new AbortController();
    this.#logger.info('leading', { term: first.lease.spec?.leaseTransitions ?? 0 });
    const work = (async () => leadership.onLeading(lost.signal))().finally(() => ended.abort());
    const kept = Promise.all([
      this.#keepRenewing(first, lost, ended.signal),
      this.#limitHandOver(stop, lost, ended.signal),
    ]);
    try {
      await work;
    } catch (error) {
      if (!lost.signal.aborted) {
        throw error;
      }
      this.#logger.debug('the work of the leader was cut off', { error });
    } finally {
      await kept;
      this.#disbelieve();
      if (stop.aborted || !lost.signal.aborted) {
        await this.#release();
      }
    }
    return !lost.signal.aborted;
  }

  /** Until the work has ended, or the belief. */
  async #keepRenewing(first: Held, lost: AbortController, ended: AbortSignal): Promise<void> {
    let held: Held | undefined = first;
    while (!ended.aborted && held !== undefined && this.isLeading()) {
      await this.#pause(ended, this.#beliefLeft());
      if (!ended.aborted && this.isLeading()) {
        held = await this.#renew(held, ended);
      }
    }
    if (!ended.aborted) {
      this.#disbelieve();
      const reason = held === undefined ? 'another took the lease' : 'the lease could not be renewed in time';
      this.#logger.warn('leadership was lost', { reason });
      lost.abort(new LeadershipLost(`leadership was lost: ${reason}`));
    }
  }

  /** What is held now; the same as before where the API server did not answer, undefined where it is another's. */
  async #renew(held: Held, ended: AbortSignal): Promise<Held | undefined> {
    const limit = { clock: this.#options.clock, milliseconds: this.#beliefLeft(), signal: ended };
    try {
      const next = await withHardDeadline(limit, async (cut) => this.#lease.renew(held, cut));
      if (next !== undefined) {
        this.#believe(next);
      }
      return next;
    } catch (error) {
      this.#logger.debug('the leader lease could not be renewed, will be retried', { error });
      return held;
    }
  }

  /** Work that does not end after `stop` is told that it has lost; the lease is kept until it really ends. */
  async #limitHandOver(stop: AbortSignal, lost: AbortController, ended: AbortSignal): Promise<void> {
    await whenAborted(stop, ended);
    await pause(this.#options.clock, HAND_OVER_MS, ended);
    if (!ended.aborted) {
      lost.abort(new LeadershipLost('the hand-over took too long'));
    }
  }

  async #release(): Promise<void> {
    const { clock, renewDeadlineMs: milliseconds } = this.#options;
    try {
      await withHardDeadline({ clock, milliseconds }, async (cut) => this.#lease.release(cut));
      this.#logger.info('the leader lease was given back');
    } catch (error) {
      this.#logger.warn('the leader lease could not be given back, others take it when it expires', { error });
    }
  }

  #believe({ sentAt }: Held): boolean {
    this.#believesUntil = sentAt + this.#options.renewDeadlineMs;
    this.#options.observer?.leading?.(this.isLeading());
    return this.isLeading();
  }

  #disbelieve(): void {
    this.#believesUntil = Number.NEGATIVE_INFINITY;
    this.#options.observer?.leading?.(false);
  }

  #beliefLeft(): number {
    return this.#believesUntil - this.#options.clock.monotonic();
  }

  async #pause(signal: AbortSignal, atMostMs = Number.POSITIVE_INFINITY): Promise<void> {
    const { clock, random, retryMs } = this.#options;
    await pause(clock, Math.min(retryMs * (1 - 0.2 * random()), atMostMs), signal);
  }
}
