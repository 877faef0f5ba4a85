// The simulated API server: what all its clients share, and what tests may see of it and do to it.
import type { Clock, Random } from '#runtime/clock/clock.ts';
import { KubeError } from '../errors.ts';
import type { KubeObject, ResourceType } from '../resource.ts';
import type { KubeStore } from '../store.ts';
import type { Model } from './admission.ts';
import { type Backup, Database } from './database.ts';
import { Faults } from './faults.ts';
import type { KindModel } from './kind-model.ts';
import { type Access, MemoryStore, type ServerParts } from './store.ts';
import { Watches } from './watches.ts';
import type { WriteRecord } from './write-log.ts';

export interface MemoryApiServerOptions {
  readonly clock: Clock;
  /** For uids. */
  readonly random: Random;
}

/**
 * Kinds are served once `serve` has told of them. Calls take effect at once, in the order in which they are made; their
 * answers and all watch events arrive by promises, so that on a `VirtualClock` every run is the same.
 */
export class MemoryApiServer implements ServerParts {
  readonly clock: Clock;
  readonly database: Database;
  readonly watches: Watches;
  readonly faults = new Faults();
  /** Every write that reached the server, refused ones too, in order. Tests may empty it. */
  readonly writes: WriteRecord[] = [];
  /** What `mayDo` is answered by. Everybody may do everything, unless a test says otherwise. */
  access: Access = () => undefined;
  readonly #random: Random;
  readonly #models = new Map<string, Model>();

  constructor({ clock, random }: MemoryApiServerOptions) {
    this.clock = clock;
    this.#random = random;
    this.database = new Database((change) => this.watches.announce(change));
    this.watches = new Watches(clock, () => this.database.revision);
  }

  serve<T extends KubeObject>(model: KindModel<T>): this {
    this.#models.set(model.type.kind, model);
    return this;
  }

  /** The server as one user sees it: the name under which hooks and logs know the caller, and its field manager. */
  asUser(user: string): KubeStore {
    return new MemoryStore(this, user);
  }

  /** Forgets all history: older resource versions and continue tokens are Gone. */
  compact(): void {
    this.database.compact();
  }

  /** All that is stored, to be given to `restore`. */
  backup(): Backup {
    return this.database.backup();
  }

  /** As a backup of etcd is played back: everything since is undone, versions count on from then, watches end. */
  restore(backup: Backup): void {
    this.database.restore(backup);
    this.watches.cut();
  }

  /** Throws NotFound for a kind that is not served. */
  modelOf(type: ResourceType<KubeObject>): Model {
    const model = this.#models.get(type.kind);
    if (model === undefined) {
      throw new KubeError('NotFound', `no kind ${type.kind} is served here: tell the server with serve({ type })`);
    }
    return model;
  }

  /** A version-4 uuid. */
  newUid(): string {
    const digits = Array.from({ length: 32 }, () => Math.floor(this.#random() * 16).toString(16)).join('');
    return digits.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, '$1-$2-4$3-8$4-$5');
  }
}
