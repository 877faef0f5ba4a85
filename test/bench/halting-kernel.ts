// The smallest guest there is: it halts with interrupts off, for ever, and so costs no processor time while it runs.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export const HALTING_KERNEL = 'halt.bin';

const LOADED_AT = 0x100000;
const MAGIC = 0x1badb002;
/** Where to load it and where to begin stands in the header itself. */
const HAS_ADDRESSES = 0x00010000;
const HEADER_BYTES = 32;
/** cli; hlt; and back to hlt. */
const CODE = [0xfa, 0xf4, 0xeb, 0xfd];

/** Writes it into a boot directory. A multiboot image, which QEMU loads with its firmware like any other kernel. */
export async function writeHaltingKernel(bootDirectory: string): Promise<void> {
  await mkdir(bootDirectory, { recursive: true });
  await writeFile(join(bootDirectory, HALTING_KERNEL), image());
}

function image(): Buffer {
  const end = LOADED_AT + HEADER_BYTES + CODE.length;
  // magic, flags, checksum, header, first byte to load, end of what is loaded, end of memory to clear, entry.
  const checksum = -(MAGIC + HAS_ADDRESSES) >>> 0;
  const words = [MAGIC, HAS_ADDRESSES, checksum, LOADED_AT, LOADED_AT, end, end, LOADED_AT + HEADER_BYTES];
  const header = Buffer.alloc(HEADER_BYTES);
  words.forEach((word, index) => header.writeUInt32LE(word, index * 4));
  return Buffer.concat([header, Buffer.from(CODE)]);
}
