// One message of libvirt's RPC: a length word, a header of six words, a body. Source: libvirt, src/rpc/virnetprotocol.x.
import { MAX_PACKET_BYTES } from './limits.ts';
import { garbled, XdrDecoder } from './xdr-decoder.ts';

export const REMOTE_PROGRAM = 0x2000_8086;
export const KEEPALIVE_PROGRAM = 0x6b65_6570;
export const PROTOCOL_VERSION = 1;

export const PACKET_TYPE = { call: 0, reply: 1, message: 2 } as const;
export const PACKET_STATUS = { ok: 0, error: 1 } as const;
export const KEEPALIVE = { ping: 1, pong: 2 } as const;

const LENGTH_BYTES = 4;
const HEADER_BYTES = 28;

export interface PacketHeader {
  readonly program: number;
  readonly version: number;
  readonly procedure: number;
  readonly type: number;
  readonly serial: number;
  readonly status: number;
}

export interface Packet {
  readonly header: PacketHeader;
  readonly body: XdrDecoder;
}

/** The packet as it goes over the wire, length word included. */
export function encodePacket(header: PacketHeader, body: Buffer): Buffer {
  const { program, version, procedure, type, serial, status } = header;
  const words = [HEADER_BYTES + body.length, program, version, procedure, type, serial, status];
  const head = Buffer.allocUnsafe(HEADER_BYTES);
  words.forEach((word, index) => head.writeUInt32BE(word, index * 4));
  return Buffer.concat([head, body]);
}

/** `bytes` is a whole packet as the framer cut it. */
export function decodePacket(bytes: Buffer): Packet {
  const body = new XdrDecoder(bytes.subarray(LENGTH_BYTES));
  const header = {
    program: body.unsigned(),
    version: body.unsigned(),
    procedure: body.unsigned(),
    type: body.unsigned(),
    serial: body.unsigned(),
    status: body.unsigned(),
  };
  return { header, body };
}

/** Cuts a stream of bytes into packets, however the socket hands them over. */
export class PacketFramer {
  #chunks: Buffer[] = [];
  #size = 0;

  /** The packets that are whole now. Throws where a length word is out of bounds: the stream is lost then. */
  push(chunk: Buffer): Buffer[] {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    const packets: Buffer[] = [];
    for (let packet = this.#next(); packet !== undefined; packet = this.#next()) {
      packets.push(packet);
    }
    return packets;
  }

  #next(): Buffer | undefined {
    if (this.#size < LENGTH_BYTES) {
      return undefined;
    }
    const length = this.#lengthWord();
    if (length < HEADER_BYTES || length > MAX_PACKET_BYTES) {
      throw garbled(`a packet of ${length} bytes`);
    }
    if (this.#size < length) {
      return undefined;
    }
    const bytes = this.#joined();
    this.#chunks = [bytes.subarray(length)];
    this.#size -= length;
    return bytes.subarray(0, length);
  }

  #lengthWord(): number {
    const [first] = this.#chunks;
    return (first !== undefined && first.length >= LENGTH_BYTES ? first : this.#joined()).readUInt32BE();
  }

  #joined(): Buffer {
    const [first, ...rest] = this.#chunks;
    const bytes = first !== undefined && rest.length === 0 ? first : Buffer.concat(this.#chunks);
    this.#chunks = [bytes];
    return bytes;
  }
}
