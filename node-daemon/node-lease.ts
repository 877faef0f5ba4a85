// At most one daemon acts for a node: the one that holds the node's Lease. Two machines that call themselves the same
// would each start the guests that were given to that name.
import { HEARTBEAT_LABEL, heartbeatLeaseName, SYSTEM_NAMESPACE } from '#crds/v1alpha1/names.ts';
import type { Clock, Random } from '#runtime/clock/clock.ts';
import type { KubeStore } from '#runtime/kube/store.ts';
import { Heartbeat, LeaseTaken } from '#runtime/lease/heartbeat.ts';
import { ExpectedError } from '#runtime/process/expected-error.ts';
import type { Logger } from '#runtime/process/log.ts';

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
}

export class NodeLease {
  readonly #options: NodeLeaseOptions;
  readonly #holder: string;
  readonly #heartbeat: Heartbeat;

  /** A daemon that comes back within one boot of its machine is the same holder: the Lease is its own at once. */
  constructor(options: NodeLeaseOptions) {
    const { nodeName, bootID, heartbeatIntervalMs } = options;
    this.#options = options;
    this.#holder = `${nodeName}/${bootID}`;
    this.#heartbeat = new Heartbeat({
      ...options,
      namespace: SYSTEM_NAMESPACE,
      name: heartbeatLeaseName(nodeName),
      holder: this.#holder,
      labels: { [HEARTBEAT_LABEL]: nodeName },
      intervalMs: heartbeatIntervalMs,
      leaseDurationSeconds: Math.ceil((heartbeatIntervalMs * 4) / 1000),
    });
  }

  /** Whether nobody else can hold the Lease at this moment: nothing may be started without it. */
  isValid(): boolean {
    return this.#heartbeat.isValid();
  }

  /**
   * Waits until this daemon holds the Lease, then does the work while it does. The signal of the work aborts with `stop`,
   * or when another took the Lease: then this rejects with an error that says what to do. After work that ended well
   * the Lease is given up, if `mayGiveUp` says so, so that the next daemon need not wait.
   */
  async hold(stop: AbortSignal, work: (held: AbortSignal) => Promise<void>, mayGiveUp: () => boolean): Promise<void> {
    await this.#heartbeat.claim(stop, (holder) => this.#tellWaiting(holder));
    this.#options.setUnready?.('it is starting');
    const ended = new AbortController();
    const lost = new AbortController();
    const beating = this.#heartbeat.run(ended.signal).catch((error: unknown) => lost.abort(this.#lossOf(error)));
    try {
      await work(AbortSignal.any([stop, lost.signal]));
    } finally {
      ended.abort();
      await beating;
    }
    lost.signal.throwIfAborted();
    if (mayGiveUp()) await this.#heartbeat.release();
  }

  #tellWaiting(holder: string): void {
    const { nodeName, logger, setUnready } = this.#options;
    const reason =
      `the Lease ${SYSTEM_NAMESPACE}/${heartbeatLeaseName(nodeName)} is held by ${holder}, and this is ${this.#holder}. ` +
      'After a reboot this ends by itself, once that Lease was not renewed for its duration. If it stays so, two ' +
      `machines call themselves ${nodeName}: give each its own --node-name and token`;
    logger.warn('nothing is done here while another daemon acts for this node', { reason });
    setUnready?.(reason);
  }

  #lossOf(error: unknown): unknown {
    if (!(error instanceof LeaseTaken)) return error;
    const { nodeName } = this.#options;
    return new ExpectedError(
      `two machines call themselves ${nodeName}: give each its own --node-name and token. The Lease of this daemon, ` +
        `which is ${this.#holder}, was taken by ${error.holder}. Guests that run here run on, but nobody looks after them`,
      { cause: error },
    );
  }
}
