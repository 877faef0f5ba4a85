// The server's end of the protocol, for tests: answers what it is told to, correct or not.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  decodePacket,
  encodePacket,
  KEEPALIVE,
  KEEPALIVE_PROGRAM,
  PACKET_TYPE,
  PacketFramer,
  REMOTE_PROGRAM,
} from './packet.ts';
import { PROCEDURE } from './procedures.ts';
import type { XdrDecoder } from './xdr-decoder.ts';
import { XdrEncoder } from './xdr-encoder.ts';

/** The body of the reply; undefined leaves the call unanswered; a thrown number is a fault of that number. */
export type Answer = (body: XdrDecoder) => Buffer | undefined;

const EMPTY = Buffer.alloc(0);

export class FakeLibvirtd {
  readonly directory = mkdtempSync(join(tmpdir(), 'usher-fake-'));
  readonly socketPath = join(this.directory, 'sock');
  /** By procedure. The handshake is answered already. */
  readonly answers = new Map<number, Answer>([
    [PROCEDURE.authList, () => new XdrEncoder().unsigned(1).int(0).finish()],
    [PROCEDURE.connectSupportsFeature, () => new XdrEncoder().int(1).finish()],
    [PROCEDURE.connectOpen, () => EMPTY],
    [PROCEDURE.connectGetLibVersion, () => hyper(9_000_000n)],
  ]);
  /** What was asked, in order. */
  readonly calls: number[] = [];
  /** Whether pings are answered. */
  alive = true;
  pongs = 0;
  readonly #sockets = new Set<Socket>();
  readonly #unanswered: (() => void)[] = [];
  #server: Server | undefined;

  async listen(): Promise<void> {
    const server = createServer((socket) => this.#serve(socket));
    this.#server = server;
    await new Promise<void>((resolve) => {
      server.listen(this.socketPath, resolve);
    });
  }

  /** To every client: raw bytes, whether they mean something or not. */
  send(bytes: Buffer): void {
    this.#sockets.forEach((socket) => socket.write(bytes));
  }

  ping(): void {
    this.send(keepalive(KEEPALIVE.ping));
  }

  /** To what was left unanswered: an empty reply, which says too little. */
  answerLate(): void {
    this.#unanswered.splice(0).forEach((answer) => answer());
  }

  /** Ends every connection. */
  drop(): void {
    this.#sockets.forEach((socket) => socket.destroy());
  }

  async close(): Promise<void> {
    this.drop();
    await new Promise((resolve) => {
      this.#server?.close(resolve);
    });
    rmSync(this.directory, { recursive: true, force: true });
  }

  #serve(socket: Socket): void {
    const framer = new PacketFramer();
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('data', (chunk) => {
      for (const bytes of framer.push(chunk)) {
        this.#answer(socket, bytes);
      }
    });
  }

  #answer(socket: Socket, bytes: Buffer): void {
    const { header, body } = decodePacket(bytes);
    if (header.program === KEEPALIVE_PROGRAM) {
      this.#keepalive(socket, header.procedure);
      return;
    }
    const { procedure, serial } = header;
    this.calls.push(procedure);
    const reply = (status: number, content: Buffer) =>
      socket.write(packet({ procedure, type: PACKET_TYPE.reply, serial, status }, content));
    try {
      const content = this.answers.get(procedure)?.(body);
      if (content === undefined) {
        this.#unanswered.push(() => reply(0, EMPTY));
      } else {
        reply(0, content);
      }
    } catch (error) {
      reply(1, fault(Number(error), `fault ${String(error)}`));
    }
  }

  #keepalive(socket: Socket, procedure: number): void {
    if (procedure === KEEPALIVE.pong) {
      this.pongs += 1;
    } else if (this.alive) {
      socket.write(keepalive(KEEPALIVE.pong));
    }
  }
}

export function hyper(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}

function fault(code: number, message: string): Buffer {
  return new XdrEncoder().int(code).int(0).optionalString(message).int(2).finish();
}

type Head = { procedure: number; type: number; serial: number; status: number };

function packet(head: Head, body: Buffer): Buffer {
  return encodePacket({ program: REMOTE_PROGRAM, version: 1, ...head }, body);
}

function keepalive(procedure: number): Buffer {
  const head = { procedure, type: PACKET_TYPE.message, serial: 0, status: 0 };
  return encodePacket({ program: KEEPALIVE_PROGRAM, version: 1, ...head }, EMPTY);
}
