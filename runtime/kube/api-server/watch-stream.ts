// The events of a watch, out of the bytes in which the API server sends them: one JSON object a line.
import { KubeError } from '../errors.ts';
import type { KubeObject } from '../resource.ts';
import type { WatchEvent } from '../store.ts';
import { errorOfStatus, type Status } from './errors.ts';

/** An object is at most 1.5 MiB in etcd, and an event one object; twice that leaves room for escapes. */
const LONGEST_LINE = 4 * 1024 * 1024;

const LINE_FEED = 0x0a;

/** Throws Gone and the like where the server says so in the stream, and Internal for anything that is not an event. */
export async function* watchEvents<T extends KubeObject>(
  bytes: AsyncIterable<Uint8Array>,
  longestLine = LONGEST_LINE,
): AsyncGenerator<WatchEvent<T>> {
  for await (const line of lines(bytes, longestLine)) {
    yield eventOf<T>(line);
  }
}

/** Complete lines, without empty ones. A rest without a line feed means that the stream broke off. */
async function* lines(bytes: AsyncIterable<Uint8Array>, longest: number): AsyncGenerator<string> {
  let parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of bytes) {
    let from = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, from)) {
      const line = Buffer.concat([...parts, chunk.subarray(from, end)]).toString('utf8');
      [parts, length, from] = [[], 0, end + 1];
      if (line.trim() !== '') {
        yield line;
      }
    }
    parts.push(chunk.subarray(from));
    length += chunk.length - from;
    if (length > longest) {
      throw new KubeError('Internal', `an event of the watch is longer than ${longest} bytes`);
    }
  }
  if (length > 0) {
    throw new KubeError('Internal', 'the watch broke off in the middle of an event');
  }
}

function eventOf<T extends KubeObject>(line: string): WatchEvent<T> {
  const { type, object } = parsed(line);
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      return { type, object: object as T };
    case 'BOOKMARK':
      return { type, resourceVersion: object.metadata.resourceVersion };
    case 'ERROR':
      throw errorOfStatus(object as Status);
    default:
      throw notAnEvent(line);
  }
}

interface Parsed {
  type: unknown;
  object: { metadata: { resourceVersion: string } };
}

function parsed(line: string): Parsed {
  let value: Partial<Parsed> | null;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw notAnEvent(line, cause);
  }
  const version = value?.object?.metadata?.resourceVersion;
  if (value?.object === undefined || (typeof version !== 'string' && value.type !== 'ERROR')) {
    throw notAnEvent(line);
  }
  return { type: value.type, object: value.object };
}

function notAnEvent(line: string, cause?: unknown): KubeError {
  return new KubeError('Internal', `the watch sent something that is no event: ${line.slice(0, 200)}`, { cause });
}
