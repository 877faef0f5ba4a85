// One candidate's dealings with the Lease: is it free, take it, renew it, give it back.
import type { Clock } from '../clock/clock.ts';
import { isKubeError, type KubeErrorReason } from '../kube/errors.ts';
import type { KubeStore } from '../kube/store.ts';
import { LEASES, type Lease, type LeaseSpec, microTimestampOf } from './lease.ts';

export interface ExclusiveLeaseOptions {
  store: KubeStore;
  clock: Clock;
  namespace: string;
  name: string;
  /** Two that share it take the Lease for their own, both of them. */
  identity: string;
  leaseDurationMs: number;
  labels?: Record<string, string> | undefined;
  /** Asked before each write is sent, and written with it; all of them go when the Lease is given up. */
  annotations?: (() => Annotations) | undefined;
  /** Told what is found where one's own last write should be: an API server may be another one, or have gone back in time. */
  onSurprise?: ((found: Lease | undefined, written: Lease) => void) | undefined;
}

/** By key; null takes one away. */
export type Annotations = Readonly<Record<string, string | null>>;

/** A Lease in one's own hands. `sentAt` is the monotonic moment before the write that made it so was sent. */
export interface Held {
  readonly lease: Lease;
  readonly sentAt: number;
}

/**
 * Whether another holder's time is up is judged by watching his record stay the same for its whole duration on one's
 * own monotonic clock; the times stored in it are never compared with anything. Every write carries the
 * resourceVersion that was read. Rejects with a KubeError.
 */
export class ExclusiveLease {
  readonly #options: ExclusiveLeaseOptions;
  /** The other holder's last write, and when it was first seen here. */
  #watched: { version: string; since: number; durationMs: number } | undefined;
  #otherHolder: string | undefined;
  /** So that the next one is higher even where the Lease was deleted meanwhile. */
  #highestTerm = -1;

  constructor(options: ExclusiveLeaseOptions) {
    this.#options = options;
  }

  /** Who else was found to hold it, whether his time is up or not, when it was last tried to acquire it. */
  get otherHolder(): string | undefined {
    return this.#otherHolder;
  }

  /** The Lease if it was free and is now one's own; undefined if another holds it or was quicker. */
  async tryAcquire(signal: AbortSignal): Promise<Held | undefined> {
    const lease = await this.#read(signal);
    if (!this.#isFree(lease)) {
      return undefined;
    }
    const acquireTime = microTimestampOf(this.#options.clock.now());
    const leaseTransitions = this.#highestTerm + 1;
    try {
      return await this.#write(lease, { ...this.#ownership(), acquireTime, leaseTransitions }, signal);
    } catch (error) {
      return unlessReason(error, 'Conflict', 'AlreadyExists', 'NotFound');
    }
  }

  /** Undefined if it was lost to another. Where somebody else touched or deleted the Lease, it is still one's own. */
  async renew(held: Held, signal: AbortSignal): Promise<Held | undefined> {
    try {
      return await this.#write(held.lease, this.#ownership(), signal);
    } catch (error) {
      unlessReason(error, 'Conflict', 'NotFound');
    }
    const lease = await this.#read(signal);
    this.#options.onSurprise?.(lease, held.lease);
    if (lease !== undefined && lease.spec?.holderIdentity !== this.#options.identity) {
      return undefined;
    }
    try {
      return await this.#write(lease, { ...held.lease.spec, ...this.#ownership() }, signal);
    } catch (error) {
      return unlessReason(error, 'AlreadyExists');
    }
  }

  /** Lets the others take it at once; nothing happens where it is not one's own any more. */
  async release(signal: AbortSignal): Promise<void> {
    const lease = await this.#read(signal);
    if (lease?.spec?.holderIdentity !== this.#options.identity) {
      return;
    }
    const spec = { holderIdentity: null, renewTime: microTimestampOf(this.#options.clock.now()) };
    try {
      await this.#patch(lease, { spec, annotations: cleared(this.#annotations()) }, signal);
    } catch (error) {
      // A renewal of one's own that was cut off may have arrived in between.
      unlessReason(error, 'Conflict');
      await this.release(signal);
    }
  }

  #isFree(lease: Lease | undefined): boolean {
    if (lease === undefined) {
      return this.#hasExpired();
    }
    const { holderIdentity, leaseTransitions = 0 } = lease.spec ?? {};
    this.#highestTerm = Math.max(this.#highestTerm, leaseTransitions);
    if (!holderIdentity || holderIdentity === this.#options.identity) {
      this.#otherHolder = undefined;
      return true;
    }
    this.#otherHolder = holderIdentity;
    this.#watch(lease);
    return this.#hasExpired();
  }

  #watch({ metadata: { uid, resourceVersion }, spec }: Lease): void {
    const { clock, leaseDurationMs } = this.#options;
    const version = `${uid} ${resourceVersion}`;
    if (this.#watched?.version !== version) {
      const durationMs = spec?.leaseDurationSeconds === undefined ? leaseDurationMs : spec.leaseDurationSeconds * 1000;
      this.#watched = { version, since: clock.monotonic(), durationMs };
    }
  }

  /** Also asked of a Lease that somebody deleted: its holder may not know yet. */
  #hasExpired(): boolean {
    const { clock } = this.#options;
    return this.#watched === undefined || clock.monotonic() - this.#watched.since >= this.#watched.durationMs;
  }

  #ownership(): LeaseSpec {
    const { clock, identity, leaseDurationMs } = this.#options;
    return {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(leaseDurationMs / 1000),
      renewTime: microTimestampOf(clock.now()),
    };
  }

  async #read(signal: AbortSignal): Promise<Lease | undefined> {
    const { store, namespace, name } = this.#options;
    try {
      return await store.get(LEASES, { namespace, name }, signal);
    } catch (error) {
      return unlessReason(error, 'NotFound');
    }
  }

  async #write(lease: Lease | undefined, spec: LeaseSpec, signal: AbortSignal): Promise<Held> {
    const { store, clock, namespace, name, labels } = this.#options;
    const annotations = this.#annotations();
    const sentAt = clock.monotonic();
    if (lease !== undefined) {
      return { lease: await this.#patch(lease, { spec, annotations }, signal), sentAt };
    }
    const { apiVersion, kind } = LEASES;
    const metadata = {
      namespace,
      name,
      ...(labels && { labels }),
      ...(annotations && { annotations: set(annotations) }),
    };
    return { lease: await store.create(LEASES, { apiVersion, kind, metadata, spec }, signal), sentAt };
  }

  #annotations(): Annotations | undefined {
    return this.#options.annotations?.();
  }

  async #patch(
    lease: Lease,
    { spec, annotations }: { spec: object; annotations: Annotations | undefined },
    signal: AbortSignal,
  ): Promise<Lease> {
    const { store, namespace, name, labels } = this.#options;
    const { resourceVersion } = lease.metadata;
    const metadata = { resourceVersion, ...(labels && { labels }), ...(annotations && { annotations }) };
    return store.mergePatch(LEASES, { namespace, name }, { metadata, spec }, { signal });
  }
}

/** Without those that are to be taken away: a new object has none. */
function set(annotations: Annotations): Record<string, string> {
  return Object.fromEntries(
    Object.entries(annotations).flatMap(([key, value]) => (value === null ? [] : [[key, value]])),
  );
}

function cleared(annotations: Annotations | undefined): Annotations | undefined {
  return annotations && Object.fromEntries(Object.keys(annotations).map((key) => [key, null]));
}

/** Throws what was not to be expected. */
function unlessReason(error: unknown, ...expected: KubeErrorReason[]): undefined {
  if (!isKubeError(error, ...expected)) {
    throw error;
  }
}
