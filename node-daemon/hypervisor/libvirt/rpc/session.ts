// A connection that comes back: opened when first needed, opened again with back-off whenever it is lost.

import { DriverError } from '#node-daemon/hypervisor/errors.ts';
import { backoff } from '#runtime/clock/backoff.ts';
import type { Clock, Random } from '#runtime/clock/clock.ts';
import type { Caller, Connection } from './connection.ts';
import type { XdrDecoder } from './xdr-decoder.ts';

/** A local socket: trying costs little, and guests are unwatched meanwhile. */
const RECONNECT = { baseMs: 200, maxMs: 3_000 };

export interface SessionOptions {
  /** Makes a connection that is ready for use. Rejects with a `DriverError`. */
  connect(): Promise<Connection>;
  /** `again` where this is not the first try: something may have been missed. */
  onConnected?(again: boolean): void;
  /** Only after `onConnected`, with the reason. */
  onDisconnected?(reason: DriverError): void;
  readonly clock: Clock;
  readonly random: Random;
}

type State =
  | { readonly kind: 'Idle' }
  | { readonly kind: 'Connecting'; readonly attempt: Promise<Connection> }
  | { readonly kind: 'Connected'; readonly connection: Connection }
  | { readonly kind: 'Waiting'; readonly error: DriverError }
  | { readonly kind: 'Closed'; readonly error: DriverError };

/** There is no connection: libvirt was not asked, and nothing will come of the call later. */
export class NotConnected extends DriverError {}

export class Session implements Caller {
  readonly #options: SessionOptions;
  readonly #end = new AbortController();
  #state: State = { kind: 'Idle' };
  #attempts = 0;
  #wake = new AbortController();

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /** Connects where that has not begun. Calls do it by themselves; who only listens must ask for it. */
  start(): void {
    if (this.#state.kind === 'Idle') {
      void this.#keepConnected();
    }
  }

  /** Tries at once where the next attempt is awaited: something shows that it may succeed. */
  retryNow(): void {
    if (this.#state.kind === 'Waiting') {
      void this.#beginAttempt(); // the loop takes it over
      this.#wake.abort();
    }
  }

  /**
   * While the connection is lost and the next attempt is awaited, rejects at once with `NotConnected` and what the last
   * one failed of.
   */
  async call(procedure: number, body: Buffer, timeoutMs: number): Promise<XdrDecoder> {
    const connection = await this.#current().catch((error: unknown) => {
      const { reason, message } = asDriverError(error);
      throw new NotConnected(reason, message, error);
    });
    return connection.call(procedure, body, timeoutMs);
  }

  close(): void {
    const error = new DriverError('Unreachable', 'the driver was closed');
    const before = this.#state;
    this.#state = { kind: 'Closed', error };
    this.#end.abort();
    if (before.kind === 'Connected') {
      before.connection.close(error);
    }
  }

  async #current(): Promise<Connection> {
    this.start();
    switch (this.#state.kind) {
      case 'Connected':
        return this.#state.connection;
      case 'Connecting':
        return this.#state.attempt;
      case 'Waiting':
      case 'Closed':
        throw this.#state.error;
      case 'Idle':
        throw new DriverError('Unreachable', 'the connection was not begun');
    }
  }

  async #keepConnected(): Promise<void> {
    const { clock, random } = this.#options;
    const delays = backoff(RECONNECT, random);
    while (!this.#end.signal.aborted) {
      const error = await this.#connectOnce(() => delays.reset());
      if (this.#end.signal.aborted) {
        return;
      }
      this.#state = { kind: 'Waiting', error };
      this.#wake = new AbortController();
      await clock.sleep(delays.next(), AbortSignal.any([this.#end.signal, this.#wake.signal])).catch(() => {});
    }
  }

  #beginAttempt(): Promise<Connection> {
    const attempt = this.#options.connect();
    this.#attempts += 1;
    this.#state = { kind: 'Connecting', attempt };
    return attempt;
  }

  /** Resolves with the reason when the connection has ended, or could not be made. */
  async #connectOnce(succeeded: () => void): Promise<DriverError> {
    const attempt = this.#state.kind === 'Connecting' ? this.#state.attempt : this.#beginAttempt();
    try {
      const connection = await attempt;
      if (this.#end.signal.aborted) {
        connection.close(new DriverError('Unreachable', 'the driver was closed'));
        return await connection.closed;
      }
      succeeded();
      this.#state = { kind: 'Connected', connection };
      this.#options.onConnected?.(this.#attempts > 1);
      const reason = await connection.closed;
      this.#options.onDisconnected?.(reason);
      return reason;
    } catch (error) {
      return asDriverError(error);
    }
  }
}

function asDriverError(error: unknown): DriverError {
  return error instanceof DriverError ? error : new DriverError('Unreachable', String(error), error);
}
