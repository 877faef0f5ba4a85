// Reads XDR that may be hostile: no length is believed before it was compared with its bound and with the bytes there are.
import { DriverError } from '#node-daemon/hypervisor/errors.ts';
import { MAX_STRING_BYTES } from './limits.ts';

/** Every read rejects by throwing a `DriverError` Unreachable where the bytes end too early or break a bound. */
export class XdrDecoder {
  readonly #bytes: Buffer;
  #offset = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  int(): number {
    return this.#take(4).readInt32BE();
  }

  unsigned(): number {
    return this.#take(4).readUInt32BE();
  }

  hyper(): bigint {
    return this.#take(8).readBigInt64BE();
  }

  unsignedHyper(): bigint {
    return this.#take(8).readBigUInt64BE();
  }

  double(): number {
    return this.#take(8).readDoubleBE();
  }

  boolean(): boolean {
    return this.int() !== 0;
  }

  string(maxBytes = MAX_STRING_BYTES): string {
    const length = this.unsigned();
    if (length > maxBytes) {
      throw garbled(`a text of ${length} bytes where at most ${maxBytes} are allowed`);
    }
    const text = this.#take(length).toString('utf8');
    this.#take(-length & 3);
    return text;
  }

  /** An XDR pointer: a flag, and the value where the flag is set. */
  optional<T>(read: () => T): T | undefined {
    return this.boolean() ? read() : undefined;
  }

  fixed(length: number): Buffer {
    return Buffer.from(this.#take(length));
  }

  /** Every element takes four bytes at least, so no list is longer than a quarter of the bytes there are. */
  list<T>(maxCount: number, read: () => T): T[] {
    const count = this.unsigned();
    if (count > maxCount || count * 4 > this.remaining) {
      throw garbled(
        `a list of ${count} elements where at most ${Math.min(maxCount, this.remaining >> 2)} are possible`,
      );
    }
    return Array.from({ length: count }, read);
  }

  #take(length: number): Buffer {
    if (length > this.remaining) {
      throw garbled(`${this.remaining} bytes where ${length} are needed`);
    }
    const start = this.#offset;
    this.#offset += length;
    return this.#bytes.subarray(start, this.#offset);
  }
}

/** What to throw where the other side breaks the protocol: nothing is known of the call's outcome then. */
export function garbled(detail: string): DriverError {
  return new DriverError('Unreachable', `libvirt sent what cannot be understood: ${detail}`);
}
