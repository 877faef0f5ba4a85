// XDR (RFC 4506), as far as libvirt uses it: big-endian, everything padded to four bytes.
import { DriverError } from '#node-daemon/hypervisor/errors.ts';
import { MAX_STRING_BYTES } from './limits.ts';

export class XdrEncoder {
  readonly #parts: Buffer[] = [];

  int(value: number): this {
    const bytes = Buffer.allocUnsafe(4);
    bytes.writeInt32BE(value);
    return this.#append(bytes);
  }

  unsigned(value: number): this {
    const bytes = Buffer.allocUnsafe(4);
    bytes.writeUInt32BE(value);
    return this.#append(bytes);
  }

  hyper(value: number): this {
    const bytes = Buffer.allocUnsafe(8);
    bytes.writeBigInt64BE(BigInt(value));
    return this.#append(bytes);
  }

  /** Throws `Invalid` where the text is longer than libvirt accepts. */
  string(value: string): this {
    const bytes = Buffer.from(value, 'utf8');
    if (bytes.length > MAX_STRING_BYTES) {
      throw new DriverError(
        'Invalid',
        `libvirt takes texts of ${MAX_STRING_BYTES} bytes, this one has ${bytes.length}`,
      );
    }
    this.unsigned(bytes.length);
    return this.#append(bytes).#append(Buffer.alloc(-bytes.length & 3));
  }

  optionalString(value: string | undefined): this {
    return value === undefined ? this.int(0) : this.int(1).string(value);
  }

  unsignedHyper(value: bigint): this {
    const bytes = Buffer.allocUnsafe(8);
    bytes.writeBigUInt64BE(value);
    return this.#append(bytes);
  }

  /** Bytes of a length both sides know; a multiple of four. */
  fixed(bytes: Buffer): this {
    return this.#append(bytes);
  }

  finish(): Buffer {
    return Buffer.concat(this.#parts);
  }

  #append(bytes: Buffer): this {
    this.#parts.push(bytes);
    return this;
  }
}
