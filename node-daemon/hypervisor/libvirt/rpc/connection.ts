// One connection to libvirtd: calls out, replies and events in. All that can go wrong ends in a DriverError.
import type { Socket } from 'node:net';
import { DriverError } from '#node-daemon/hypervisor/errors.ts';
import type { Clock } from '#runtime/clock/clock.ts';
import { readFault } from './faults.ts';
import { MAX_CALLS_IN_FLIGHT } from './limits.ts';
import {
  decodePacket,
  encodePacket,
  KEEPALIVE,
  KEEPALIVE_PROGRAM,
  PACKET_STATUS,
  PACKET_TYPE,
  type Packet,
  PacketFramer,
  PROTOCOL_VERSION,
  REMOTE_PROGRAM,
} from './packet.ts';
import { garbled, type XdrDecoder } from './xdr-decoder.ts';

const NO_BYTES = Buffer.alloc(0);
const SETTLED = 'settled';

/** Something that can be asked. Rejects with a `DriverError`: Timeout after `timeoutMs`, Unreachable where the connection is lost. */
export interface Caller {
  call(procedure: number, body: Buffer, timeoutMs: number): Promise<XdrDecoder>;
}

export type EventListener = (message: number, body: XdrDecoder) => void;

interface PendingCall {
  readonly procedure: number;
  readonly body: Buffer;
  readonly resolve: (body: XdrDecoder) => void;
  readonly reject: (error: DriverError) => void;
  /** Nobody waits any longer, but libvirtd still works on it, and so it still takes its place. */
  abandoned: boolean;
}

export class Connection implements Caller {
  /** Resolves, never rejects, with the reason why the connection ended. */
  readonly closed: Promise<DriverError>;
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #framer = new PacketFramer();
  readonly #inFlight = new Map<number, PendingCall>();
  readonly #listeners = new Set<EventListener>();
  #waiting: PendingCall[] = [];
  #serial = 0;
  #lastReceived: number;
  #end: DriverError | undefined;
  #announceEnd: (error: DriverError) => void = () => {};

  /** `socket` is connected. */
  constructor(socket: Socket, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
    this.#lastReceived = clock.monotonic();
    this.closed = new Promise((resolve) => {
      this.#announceEnd = resolve;
    });
    socket.on('data', (chunk) => this.#receive(chunk));
    socket.on('error', (error) => this.close(lost(error.message)));
    socket.on('close', () => this.close(lost('libvirtd closed it')));
  }

  /** When the other side was last heard of, in milliseconds of the monotonic clock. */
  get lastReceived(): number {
    return this.#lastReceived;
  }

  onEvent(listener: EventListener): void {
    this.#listeners.add(listener);
  }

  async call(procedure: number, body: Buffer, timeoutMs: number): Promise<XdrDecoder> {
    if (this.#end !== undefined) {
      throw this.#end;
    }
    const settled = new AbortController();
    try {
      return await new Promise<XdrDecoder>((resolve, reject) => {
        const call = { procedure, body, resolve, reject, abandoned: false };
        this.#waiting.push(call);
        this.#sendWaiting();
        this.#clock.sleep(timeoutMs, settled.signal).then(
          () => this.#abandon(call, timeoutMs),
          () => {},
        );
      });
    } finally {
      // With a reason of our own: to make one up costs the runtime an error with a stack, for every call.
      settled.abort(SETTLED);
    }
  }

  ping(): void {
    this.#sendKeepalive(KEEPALIVE.ping);
  }

  /** Ends the connection; every call that waits rejects with `reason`. Only the first call has an effect. */
  close(reason: DriverError): void {
    if (this.#end !== undefined) {
      return;
    }
    this.#end = reason;
    this.#socket.destroy();
    const calls = [...this.#inFlight.values(), ...this.#waiting];
    this.#inFlight.clear();
    this.#waiting = [];
    for (const call of calls) {
      call.reject(reason);
    }
    this.#announceEnd(reason);
  }

  #sendWaiting(): void {
    while (this.#inFlight.size < MAX_CALLS_IN_FLIGHT) {
      const call = this.#waiting.shift();
      if (call === undefined) {
        return;
      }
      this.#serial = (this.#serial % 0xffff_ffff) + 1;
      this.#inFlight.set(this.#serial, call);
      const head = { program: REMOTE_PROGRAM, version: PROTOCOL_VERSION, procedure: call.procedure };
      const packet = { ...head, type: PACKET_TYPE.call, serial: this.#serial, status: PACKET_STATUS.ok };
      this.#socket.write(encodePacket(packet, call.body));
    }
  }

  #abandon(call: PendingCall, timeoutMs: number): void {
    call.abandoned = true;
    this.#waiting = this.#waiting.filter((other) => other !== call);
    call.reject(new DriverError('Timeout', `libvirt did not answer within ${timeoutMs / 1000} s`));
    const stuck = [...this.#inFlight.values()].filter((other) => other.abandoned).length;
    if (stuck === MAX_CALLS_IN_FLIGHT) {
      this.close(lost(`none of its last ${stuck} calls was answered in time`));
    }
  }

  #receive(chunk: Buffer): void {
    this.#lastReceived = this.#clock.monotonic();
    try {
      for (const bytes of this.#framer.push(chunk)) {
        this.#dispatch(decodePacket(bytes));
      }
    } catch (error) {
      this.close(error instanceof DriverError ? error : garbled(String(error)));
    }
  }

  #dispatch({ header, body }: Packet): void {
    if (header.program === KEEPALIVE_PROGRAM) {
      if (header.procedure === KEEPALIVE.ping) {
        this.#sendKeepalive(KEEPALIVE.pong);
      }
      return;
    }
    if (header.program !== REMOTE_PROGRAM) {
      return;
    }
    if (header.type === PACKET_TYPE.message) {
      this.#listeners.forEach((listener) => listener(header.procedure, body));
    } else if (header.type === PACKET_TYPE.reply) {
      this.#settle(header.serial, header.status, body);
    }
  }

  #settle(serial: number, status: number, body: XdrDecoder): void {
    const call = this.#inFlight.get(serial);
    if (call === undefined) {
      return;
    }
    this.#inFlight.delete(serial);
    this.#sendWaiting();
    if (status === PACKET_STATUS.ok) {
      call.resolve(body);
    } else {
      call.reject(faultIn(body));
    }
  }

  #sendKeepalive(procedure: number): void {
    const head = { program: KEEPALIVE_PROGRAM, version: PROTOCOL_VERSION, procedure };
    this.#socket.write(
      encodePacket({ ...head, type: PACKET_TYPE.message, serial: 0, status: PACKET_STATUS.ok }, NO_BYTES),
    );
  }
}

function faultIn(body: XdrDecoder): DriverError {
  try {
    return readFault(body);
  } catch (error) {
    return error instanceof DriverError ? error : garbled(String(error));
  }
}

function lost(detail: string): DriverError {
  return new DriverError('Unreachable', `the connection to libvirt was lost: ${detail}`);
}
