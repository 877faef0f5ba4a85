// Many VirtualMachines at once: copies of ones that run, put straight into etcd under other names and uids. The API
// server finds them there and tells the operator of each, as of any other; nobody had to create, place and start them.
import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { join } from 'node:path';
import type { ControlPlane } from '#hack/control-plane/control-plane.ts';
import { atATime, NAMESPACE } from './machines.ts';

const FOLDER = `/registry/usher.dev/virtualmachines/${NAMESPACE}/`;
interface Stored {
  readonly key: string;
  readonly value: string;
}

/** Each name becomes a copy of one that is there, in turn. */
export async function addCopies(controlPlane: ControlPlane, names: readonly string[]): Promise<void> {
  const socket = join(controlPlane.directory, 'etcd.sock');
  const originals = await stored(socket);
  const copies = names.map((name, index) => copyOf(originals[index % originals.length], name));
  // One by one: in one transaction they would all have the same resourceVersion.
  await atATime(copies, async (copy) => ask(socket, '/v3/kv/put', copy));
}

async function stored(socket: string): Promise<Stored[]> {
  const range = { key: encoded(FOLDER), range_end: encoded(FOLDER.replace(/\/$/, '0')) };
  const { kvs } = (await ask(socket, '/v3/kv/range', range)) as { kvs: Stored[] };
  return kvs.map(({ value }) => ({ key: FOLDER, value: Buffer.from(value, 'base64').toString() }));
}

/** With the uid wherever it stands: it is also that of the guest. */
function copyOf(original: Stored | undefined, name: string): Stored {
  const { value = '{}' } = original ?? {};
  const { metadata } = JSON.parse(value) as { metadata: { uid: string } };
  const copy = JSON.parse(value.replaceAll(metadata.uid, randomUUID())) as { metadata: object };
  const renamed = { ...copy, metadata: { ...copy.metadata, name } };
  return { key: encoded(`${FOLDER}${name}`), value: encoded(JSON.stringify(renamed)) };
}

function encoded(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** etcd's own interface as JSON over HTTP, on the socket that it shares with the API server. */
async function ask(socketPath: string, path: string, body: object): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path, method: 'POST' }, (answer) => {
      const parts: Buffer[] = [];
      answer.on('data', (part: Buffer) => parts.push(part));
      answer.on('end', () => {
        const text = Buffer.concat(parts).toString();
        if (answer.statusCode === 200) resolve(JSON.parse(text));
        else reject(new Error(`etcd answered ${answer.statusCode} to ${path}: ${text.slice(0, 200)}`));
      });
    });
    asked.on('error', reject);
    asked.end(JSON.stringify(body));
  });
}
