// Several connections to one libvirtd, so that what hangs does not hold up the rest. libvirtd works on a handful of calls
// of one connection at a time, and a call about a hung guest can take it half a minute.

import type { Connection } from './rpc/connection.ts';
import type { Ask } from './rpc/domain-calls.ts';
import { openConnection } from './rpc/open.ts';
import { Session, type SessionOptions } from './rpc/session.ts';
import { type CallTimeouts, DEFAULT_TIMEOUTS, type LibvirtDriverOptions } from './settings.ts';

/** Ten guests that start at once hardly ever meet in one lane as more than the five calls that libvirtd takes of it. */
const ACTION_LANES = 8;

export interface ObserverHooks {
  /** Called with each new connection of the observer before anyone else may use it. */
  prepare(connection: Connection): Promise<void>;
  readonly onConnected: NonNullable<SessionOptions['onConnected']>;
  readonly onDisconnected: NonNullable<SessionOptions['onDisconnected']>;
}

export class Lanes {
  readonly timeouts: CallTimeouts;
  readonly #observer: Session;
  readonly #gauge: Session;
  readonly #actors: readonly Session[];
  readonly #mover: Session;

  constructor(options: LibvirtDriverOptions, hooks: ObserverHooks) {
    this.timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts };
    const { clock, random, socketPath, uri } = options;
    const endpoint = { socketPath, uri, timeoutMs: this.timeouts.connect };
    const plain = () => new Session({ connect: () => openConnection(endpoint, clock), clock, random });
    this.#gauge = plain();
    this.#actors = Array.from({ length: ACTION_LANES }, plain);
    this.#mover = plain();
    this.#observer = new Session({
      connect: () => openConnection(endpoint, clock, (connection) => hooks.prepare(connection)),
      onConnected: (again) => {
        [this.#gauge, this.#mover, ...this.#actors].forEach((session) => session.retryNow());
        hooks.onConnected(again);
      },
      onDisconnected: hooks.onDisconnected,
      clock,
      random,
    });
  }

  /** For what only reads and never waits for a guest. */
  readonly query: Ask = (procedure, body) => this.#observer.call(procedure, body, this.timeouts.query);

  /** For counters, which are asked of the guests' own processes: a call ends late, or never, where one of them hangs. */
  readonly measure: Ask = (procedure, body) => this.#gauge.call(procedure, body, this.timeouts.measure);

  /** For what is done to one domain: always the same lane, so that a hung guest troubles only those that share it. */
  action(uuid: string, timeout: keyof CallTimeouts): Ask {
    const session = this.#actors[laneOf(uuid)] ?? this.#observer;
    return (procedure, body) => session.call(procedure, body, this.timeouts[timeout]);
  }

  /** For migrations: each call lasts as long as one does, and must be in nobody's way. */
  readonly move = (timeoutMs: number): Ask => {
    const whole = timeoutMs + this.timeouts.migrationEnd;
    return (procedure, body) => this.#mover.call(procedure, body, whole);
  };

  /** Begins to listen for events, if nothing has yet. */
  listen(): void {
    this.#observer.start();
  }

  close(): void {
    for (const session of [this.#observer, this.#gauge, this.#mover, ...this.#actors]) {
      session.close();
    }
  }
}

function laneOf(uuid: string): number {
  const digit = Number.parseInt(uuid.slice(-1), 16);
  return (Number.isNaN(digit) ? 0 : digit) % ACTION_LANES;
}
