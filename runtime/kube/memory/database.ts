// The storage behind the simulated API server: every change has a revision, counted over all kinds.
import { KubeError } from '../errors.ts';
import { deepFreeze } from '../json.ts';
import type { KubeObject } from '../resource.ts';
import type { FieldOwner } from './field-owners.ts';

export interface Entry {
  readonly object: KubeObject;
  readonly owners: readonly FieldOwner[];
}

/** One write: `before` is missing for a creation, `after` for a removal. */
export interface Change {
  readonly revision: number;
  readonly kind: string;
  readonly key: string;
  readonly before: Entry | undefined;
  readonly after: Entry | undefined;
}

/** All objects at one moment. */
export interface Backup {
  readonly revision: number;
  readonly kinds: ReadonlyMap<string, ReadonlyMap<string, Entry>>;
}

export class Database {
  readonly #kinds = new Map<string, Map<string, Entry>>();
  /** Every revision after the compacted one, without gaps: what happened at revision r is at r − compacted − 1. */
  #changes: Change[] = [];
  #compacted = 0;
  /** A server is never empty: version 0 has a meaning of its own. */
  #revision = 1;
  readonly #onChange: (change: Change) => void;

  constructor(onChange: (change: Change) => void) {
    this.#onChange = onChange;
    this.#compacted = this.#revision;
  }

  get revision(): number {
    return this.#revision;
  }

  read(kind: string, key: string): Entry | undefined {
    return this.#kinds.get(kind)?.get(key);
  }

  /** Stores the object under the next revision, which becomes its resourceVersion. */
  write(kind: string, key: string, entry: Entry): Entry {
    const metadata = { ...entry.object.metadata, resourceVersion: String(this.#revision + 1) };
    const after = deepFreeze({ object: { ...entry.object, metadata }, owners: entry.owners });
    this.#commit(kind, key, after);
    return after;
  }

  remove(kind: string, key: string): void {
    this.#commit(kind, key, undefined);
  }

  /** All of a kind, by key, as they were at a revision. Throws Gone when that is forgotten. */
  entriesAt(kind: string, revision: number): [key: string, entry: Entry][] {
    const entries = new Map(this.#kinds.get(kind));
    for (const { kind: changed, key, before } of this.changesAfter(revision).toReversed()) {
      if (changed === kind && before !== undefined) {
        entries.set(key, before);
      } else if (changed === kind) {
        entries.delete(key);
      }
    }
    return [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  /** In order. Throws Gone when some of them are forgotten. */
  changesAfter(revision: number): Change[] {
    if (revision < this.#compacted) {
      throw new KubeError('Gone', `resource version ${revision} is too old (forgotten up to ${this.#compacted})`);
    }
    return this.#changes.slice(revision - this.#compacted);
  }

  /** The present, to come back to. */
  backup(): Backup {
    return {
      revision: this.#revision,
      kinds: new Map([...this.#kinds].map(([kind, entries]) => [kind, new Map(entries)])),
    };
  }

  /** Goes back in time, and counts on from there as if nothing had happened since. */
  restore({ revision, kinds }: Backup): void {
    this.#kinds.clear();
    kinds.forEach((entries, kind) => this.#kinds.set(kind, new Map(entries)));
    this.#revision = revision;
    this.compact();
  }

  /** Forgets everything but the present. */
  compact(): void {
    this.#changes = [];
    this.#compacted = this.#revision;
  }

  #commit(kind: string, key: string, after: Entry | undefined): void {
    this.#revision += 1;
    const entries = this.#kinds.get(kind) ?? new Map<string, Entry>();
    this.#kinds.set(kind, entries);
    const change = { revision: this.#revision, kind, key, before: entries.get(key), after };
    if (after === undefined) {
      entries.delete(key);
    } else {
      entries.set(key, after);
    }
    this.#changes.push(change);
    this.#onChange(change);
  }
}
