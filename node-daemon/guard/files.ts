// The orders and their acknowledgement as files in a directory that only root may write, on a file system that is empty
// after a reboot.
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isFields } from '#crds/canonical-json.ts';
import type { Acknowledgement, GuardedGuest, GuardFiles, Orders } from './orders.ts';

const ORDERS = 'orders.json';
const ACKNOWLEDGEMENT = 'acknowledgement.json';

/** Makes the directory where it is missing. Reading rejects where a file is there and makes no sense. */
export function guardFilesIn(directory: string): GuardFiles {
  const write = async (name: string, content: object) => {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const file = join(directory, name);
    await writeFile(`${file}.new`, JSON.stringify(content), { mode: 0o600 });
    await rename(`${file}.new`, file);
  };
  return {
    orders: async () => read(join(directory, ORDERS), isOrders),
    acknowledgement: async () => read(join(directory, ACKNOWLEDGEMENT), isAcknowledgement),
    give: async (orders) => write(ORDERS, orders),
    acknowledge: async (acknowledgement) => write(ACKNOWLEDGEMENT, acknowledgement),
  };
}

async function read<T>(file: string, isValid: (content: unknown) => content is T): Promise<T | undefined> {
  const text = await readFile(file, 'utf8').catch(unlessMissing);
  if (text === undefined) return undefined;
  const content: unknown = JSON.parse(text);
  if (!isValid(content)) throw new TypeError(`${file} is not what it should be`);
  return content;
}

function unlessMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

function isOrders(content: unknown): content is Orders {
  if (!isFields(content)) return false;
  const { seq, bootID, renewedAt, deadlineSeconds, guests } = content;
  const numbers = [seq, renewedAt, deadlineSeconds].every((value) => Number.isFinite(value));
  return numbers && typeof bootID === 'string' && Array.isArray(guests) && guests.every(isGuest);
}

function isGuest(content: unknown): content is GuardedGuest {
  return isFields(content) && typeof content.uuid === 'string' && typeof content.name === 'string';
}

function isAcknowledgement(content: unknown): content is Acknowledgement {
  if (!isFields(content)) return false;
  return Number.isFinite(content.seq) && Number.isFinite(content.at) && typeof content.bootID === 'string';
}
