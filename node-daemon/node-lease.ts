// At most one daemon acts for a node: the one that holds the node's Lease. Two machines that call themselves the same
// would each start the guests that were given to that name.
import {
  GUARD_ANNOTATION,
  HEARTBEAT_LABEL,
  heartbeatLeaseName,
  RECOVERY_HOLDER,
  SYSTEM_NAMESPACE,
} from '#crds/v1alpha1/names.ts';
import type { Clock, Random } from '#runtime/clock/clock.ts';
import type { KubeStore } from '#runtime/kube/store.ts';
import { Heartbeat, LeaseTaken } from '#runtime/lease/heartbeat.ts';
import type { Lease } from '#runtime/lease/lease.ts';
import { ExpectedError } from '#runtime/process/expected-error.ts';
import type { Logger } from '#runtime/process/log.ts';
import type { Guarding } from './guard/guarding.ts';

export interface NodeLeaseOptions {
  readonly store: KubeStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly nodeName: string;
  readonly bootID: string;
  readonly heartbeatIntervalMs: number;
  /** Is told why this daemon does nothing. */
  readonly setUnready?: (reason: string) => void;
  /** Where a guard stands by: what the Lease promises in its name, and who tells it of renewals. */
  readonly guarding?: Pick<Guarding, 'annotations' | 'renewed' | 'standDown'> | undefined;
  /** Told the resource version of each renewal. */
  readonly onVersion?: (resourceVersion: string) => void;
  /** Told what is found where its own last renewal should be. */
  readonly onSurprise?: (found: Lease | undefined, written: Lease) => void;
}

export class NodeLease {
  readonly #options: NodeLeaseOptions;
  readonly #holder: string;
  readonly #heartbeat: Heartbeat;
  /** Aborts the work at hand. */
  #lost: AbortController | undefined;

  /** A daemon that comes back within one boot of its machine is the same holder: the Lease is its own at once. */
  constructor(options: NodeLeaseOptions) {
    const { nodeName, bootID, heartbeatIntervalMs, guarding } = options;
    this.#options = options;
    this.#holder = `${nodeName}/${bootID}`;
    this.#heartbeat = new Heartbeat({
      ...options,
      namespace: SYSTEM_NAMESPACE,
      name: heartbeatLeaseName(nodeName),
      holder: this.#holder,
      labels: { [HEARTBEAT_LABEL]: nodeName },
      intervalMs: heartbeatIntervalMs,
      leaseDurationSeconds: leaseSeconds(heartbeatIntervalMs),
      annotations: guarding?.annotations ?? unguarded,
      ...(guarding === undefined ? {} : { onRenewed: guarding.renewed }),
      onRegained: () => this.#lost?.abort(new BeginAnew()),
    });
  }

  /** Whether nobody else can hold the Lease at this moment: nothing may be started without it. */
  isValid(): boolean {
    return this.#heartbeat.isValid();
  }

  /**
   * Waits until this daemon holds the Lease, then does the work while it does. The signal of the work aborts with `stop`,
   * or when another took the Lease: where that was the operator, to start VMs of this machine elsewhere, all begins anew;
   * else this rejects with an error that says what to do. After work that ended well the Lease is given up, if
   * `mayGiveUp` says so, so that the next daemon need not wait.
   */
  async hold(stop: AbortSignal, work: (held: AbortSignal) => Promise<void>, mayGiveUp: () => boolean): Promise<void> {
    while (!(await this.#holdOnce(stop, work)) && !stop.aborted) {
      this.#options.logger.warn('the Lease of this node was taken for a while: VMs of it may run elsewhere now');
    }
    if (mayGiveUp() && (await this.#heartbeat.release())) await this.#options.guarding?.standDown();
  }

  /** False where all has to begin anew. */
  async #holdOnce(stop: AbortSignal, work: (held: AbortSignal) => Promise<void>): Promise<boolean> {
    await this.#heartbeat.claim(stop, (holder) => this.#tellWaiting(holder));
    this.#options.setUnready?.('it is starting');
    const ended = new AbortController();
    const lost = new AbortController();
    this.#lost = lost;
    const beating = this.#heartbeat.run(ended.signal).catch((error: unknown) => lost.abort(this.#lossOf(error)));
    try {
      await work(AbortSignal.any([stop, lost.signal]));
    } finally {
      ended.abort();
      await beating;
    }
    if (!lost.signal.aborted) return true;
    if (lost.signal.reason instanceof BeginAnew) return false;
    throw lost.signal.reason;
  }

  #tellWaiting(holder: string): void {
    const { logger, setUnready } = this.#options;
    const reason = holder === RECOVERY_HOLDER ? this.#recoveryInWords() : this.#otherInWords(holder);
    logger.warn('nothing is done here while another acts for this node', { reason });
    setUnready?.(reason);
  }

  #recoveryInWords(): string {
    const lease = `${SYSTEM_NAMESPACE}/${heartbeatLeaseName(this.#options.nodeName)}`;
    return `the operator holds the Lease ${lease}: this machine had fallen silent, and VMs of it are started elsewhere. This ends by itself`;
  }

  #otherInWords(holder: string): string {
    const { nodeName } = this.#options;
    return (
      `the Lease ${SYSTEM_NAMESPACE}/${heartbeatLeaseName(nodeName)} is held by ${holder}, and this is ${this.#holder}. ` +
      'After a reboot this ends by itself, once that Lease was not renewed for its duration. If it stays so, two ' +
      `machines call themselves ${nodeName}: give each its own --node-name and token`
    );
  }

  #lossOf(error: unknown): unknown {
    if (!(error instanceof LeaseTaken)) return error;
    if (error.holder === RECOVERY_HOLDER) return new BeginAnew();
    const { nodeName } = this.#options;
    return new ExpectedError(
      `two machines call themselves ${nodeName}: give each its own --node-name and token. The Lease of this daemon, ` +
        `which is ${this.#holder}, was taken by ${error.holder}. Guests that run here run on, but nobody looks after them`,
      { cause: error },
    );
  }
}

/** The Lease was not this daemon's for a while, and it may be again. */
class BeginAnew extends Error {}

/** How long a renewal is good for. */
export function leaseSeconds(heartbeatIntervalMs: number): number {
  return Math.ceil((heartbeatIntervalMs * 4) / 1000);
}

/** A daemon before this one may have had a guard. */
function unguarded(): Readonly<Record<string, string | null>> {
  return { [GUARD_ANNOTATION]: null };
}
