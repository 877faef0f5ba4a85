// Which boot of the machine this is: a domain that ran in an earlier one runs no more.
import { readFile } from 'node:fs/promises';

const BOOT_ID_PATH = '/proc/sys/kernel/random/boot_id';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The kernel's boot ID, a lower-case UUID. Rejects where the file cannot be read or holds something else. */
export async function readBootID(path: string = BOOT_ID_PATH): Promise<string> {
  const bootID = (await readFile(path, 'utf8')).trim();
  if (!UUID.test(bootID)) {
    throw new TypeError(`${path}: expected the boot ID of the kernel, a UUID; is /proc of the host mounted there?`);
  }
  return bootID;
}
