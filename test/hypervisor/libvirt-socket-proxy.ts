// Stands between a driver and libvirt's socket, so that a test can cut the connection without harming what runs there, or
// keep what libvirt says of its own accord from coming through.
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { Transform, type TransformCallback } from 'node:stream';

const REMOTE_PROGRAM = 0x20008086;
/** VIR_NET_MESSAGE: not asked for by anybody. Keepalives are, too, and of another program. */
const MESSAGE = 2;

/** Passes on what libvirt answers, and none of its events. */
class WithoutEvents extends Transform {
  #rest = Buffer.alloc(0);

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= 4 && this.#rest.length >= this.#rest.readUInt32BE(0)) {
      const packet = this.#rest.subarray(0, this.#rest.readUInt32BE(0));
      this.#rest = this.#rest.subarray(packet.length);
      const isEvent = packet.readUInt32BE(4) === REMOTE_PROGRAM && packet.readUInt32BE(16) === MESSAGE;
      if (!isEvent) this.push(packet);
    }
    done();
  }
}

export class SocketProxy {
  readonly socketPath: string;
  readonly #target: string;
  readonly #sockets = new Set<Socket>();
  readonly #dropsEvents: boolean;
  #server: Server | undefined;

  constructor(socketPath: string, target: string, { dropsEvents = false } = {}) {
    this.socketPath = socketPath;
    this.#target = target;
    this.#dropsEvents = dropsEvents;
  }

  async open(): Promise<void> {
    const server = createServer((client) => this.#join(client));
    this.#server = server;
    await new Promise<void>((resolve) => {
      server.listen(this.socketPath, resolve);
    });
  }

  /** Ends every connection; new ones are accepted. */
  cut(): void {
    for (const socket of this.#sockets) {
      socket.destroy();
    }
    this.#sockets.clear();
  }

  /** Ends every connection and accepts none until it is opened again. */
  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => {
      this.#server?.close(resolve);
    });
  }

  #join(client: Socket): void {
    const target = createConnection(this.#target);
    client.pipe(target);
    if (this.#dropsEvents) target.pipe(new WithoutEvents()).pipe(client);
    else target.pipe(client);
    for (const [socket, other] of [
      [client, target],
      [target, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => other.destroy());
    }
  }
}
