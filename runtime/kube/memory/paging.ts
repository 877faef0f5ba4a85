// Lists in pages: all pages of one list show the same moment.
import { KubeError } from '../errors.ts';
import type { KubeObject } from '../resource.ts';
import type { ListOptions, ListPage } from '../store.ts';
import type { Model } from './admission.ts';
import type { Database } from './database.ts';
import { selects } from './selectors.ts';

interface Place {
  readonly revision: number;
  readonly after: string;
}

/** Throws Gone when the moment of `continue` is forgotten. */
export function listPage(database: Database, model: Model, options: ListOptions): ListPage<KubeObject> {
  const selected = selects(model.type, options);
  refuseFuture(database, options.resourceVersion);
  const place = options.continue === undefined ? undefined : placeOf(options.continue);
  const { revision, after } = place ?? { revision: database.revision, after: '' };
  const entries = database
    .entriesAt(model.type.kind, revision)
    .filter(([key, { object }]) => key > after && selected(object));
  const page = entries.slice(0, options.limit || entries.length);
  const last = page.at(-1);
  return {
    items: page.map(([, { object }]) => object),
    resourceVersion: String(revision),
    ...(page.length < entries.length && last !== undefined && { continue: tokenOf({ revision, after: last[0] }) }),
  };
}

function refuseFuture(database: Database, resourceVersion = '0'): void {
  if (Number(resourceVersion) > database.revision) {
    throw new KubeError('Timeout', `too large resource version: ${resourceVersion}, current: ${database.revision}`);
  }
}

function tokenOf(place: Place): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

function placeOf(token: string): Place {
  try {
    return JSON.parse(Buffer.from(token, 'base64url').toString());
  } catch (cause) {
    throw new KubeError('Invalid', 'continue: not a token of this server; begin the list again', { cause });
  }
}
