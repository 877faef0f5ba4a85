// Stands between a driver and libvirt's socket, so that a test can cut the connection without harming what runs there.
import { createConnection, createServer, type Server, type Socket } from 'node:net';

export class SocketProxy {
  readonly socketPath: string;
  readonly #target: string;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;

  constructor(socketPath: string, target: string) {
    this.socketPath = socketPath;
    this.#target = target;
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
    for (const [socket, other] of [
      [client, target],
      [target, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.pipe(other);
      socket.on('error', () => other.destroy());
      socket.on('close', () => other.destroy());
    }
  }
}
