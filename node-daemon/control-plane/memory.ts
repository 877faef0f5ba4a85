// What a daemon keeps on its own disk: which control plane it has served, and how far that had come.
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { isFields } from '#crds/canonical-json.ts';
import { ExpectedError } from '#runtime/process/expected-error.ts';

/** Foreign: another control plane. WentBack: the same one, from a backup that is older than what was seen. */
export type Doubt = 'Foreign' | 'WentBack';

export interface KnownControlPlane {
  /** The uid of the namespace kube-system: no two control planes share it, and a backup keeps it. */
  readonly uid: string;
  /** The highest that was seen. */
  readonly resourceVersion: string;
  /** Until the operator says that the hold is over. */
  readonly doubt?: Doubt;
}

export interface ControlPlaneMemory {
  /** Undefined where nothing was kept yet. */
  read(): Promise<KnownControlPlane | undefined>;
  write(known: KnownControlPlane): Promise<void>;
}

const FILE = 'control-plane.json';

/** In a directory that outlives the daemon and its container. Rejects with an error that names it. */
export function memoryIn(directory: string): ControlPlaneMemory {
  const path = join(directory, FILE);
  return {
    read: async () => {
      const text = await readFile(path, 'utf8').catch(unlessMissing);
      return text === undefined ? undefined : parse(text, path);
    },
    write: async (known) => {
      try {
        await mkdir(directory, { recursive: true });
        await replace(path, `${JSON.stringify(known)}\n`);
      } catch (cause) {
        throw new ExpectedError(
          `${path} cannot be written: ${messageOf(cause)}. --state-directory names a directory that outlives this daemon`,
          { cause },
        );
      }
    },
  };
}

/** Whole or not at all, whenever the power goes. */
async function replace(path: string, text: string): Promise<void> {
  const file = await open(`${path}.new`, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
}

function parse(text: string, path: string): KnownControlPlane {
  const known = fieldsOf(text);
  const { uid, resourceVersion, doubt } = known;
  if (typeof uid === 'string' && typeof resourceVersion === 'string') {
    return { uid, resourceVersion, ...(doubt === 'Foreign' || doubt === 'WentBack' ? { doubt } : {}) };
  }
  throw new ExpectedError(
    `${path} does not say which control plane this machine has served. Remove it if the present one is the right one`,
  );
}

function fieldsOf(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return isFields(value) ? value : {};
  } catch {
    return {};
  }
}

function unlessMissing(error: unknown): undefined {
  if (Object(error).code === 'ENOENT') return undefined;
  throw new ExpectedError(`${messageOf(error)}. --state-directory names where it lies`, { cause: error });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
