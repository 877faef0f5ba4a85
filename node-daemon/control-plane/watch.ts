// Whether the control plane is the one that this machine has served, and has not gone back in time. While that is in
// doubt nothing is done to any guest: what the objects say may be older than what the guests are.
import type { ObjectMetadata } from '#runtime/kube/resource.ts';
import { compareResourceVersions } from '#runtime/kube/resource-version.ts';
import type { Logger } from '#runtime/process/log.ts';
import type { ControlPlaneMemory, Doubt, KnownControlPlane } from './memory.ts';

export interface ControlPlaneWatchOptions {
  readonly memory: ControlPlaneMemory;
  readonly logger: Logger;
}

/**
 * No cluster writes so much while a daemon looks away: a backup that was restored so that versions go on from far ahead
 * (etcdutl snapshot restore --bump-revision, a thousand million by default) is a backup all the same.
 */
const LEAP = 500_000_000n;

export class ControlPlaneWatch {
  readonly #options: ControlPlaneWatchOptions;
  #known: KnownControlPlane | undefined;
  /** As the disk has it. */
  #written: KnownControlPlane | undefined;
  #current = '';
  #highest: string | undefined;
  /** Answers that were on their way at the same time may come in any order: each source is compared with itself. */
  readonly #bySource = new Map<string, string | undefined>();
  #onDoubt: (() => void) | undefined;

  private constructor(options: ControlPlaneWatchOptions, known: KnownControlPlane | undefined) {
    this.#options = options;
    this.#known = known;
    this.#written = known;
    this.#highest = known?.resourceVersion;
  }

  /** With what was kept. Rejects where that cannot be read. */
  static async begin(options: ControlPlaneWatchOptions): Promise<ControlPlaneWatch> {
    return new ControlPlaneWatch(options, await options.memory.read());
  }

  /** Why this control plane is not taken at its word. */
  get doubt(): Doubt | undefined {
    return this.#known?.doubt;
  }

  /** The uid of the one that answers now. */
  get uid(): string {
    return this.#current;
  }

  /** It says who it is. The first one that is ever met is believed. */
  async meet(uid: string): Promise<void> {
    this.#current = uid;
    const known = this.#known ?? { uid, resourceVersion: this.#highest ?? '0' };
    this.#known = known.uid === uid ? found(known) : { ...known, doubt: 'Foreign' };
    if (this.doubt !== undefined) this.#tell();
    await this.save();
  }

  /** Whether this is the uid of the one that was met; where not, everything is read anew. */
  isTheOneMet(uid: string): boolean {
    if (uid !== this.#current) this.#lookAgain();
    return uid === this.#current;
  }

  /** Called once when it should be asked anew who it is. */
  onDoubt(call: () => void): void {
    this.#onDoubt = call;
  }

  /** Its version, as this source has it, whose answers come in order. */
  sees(source: string, resourceVersion: string | undefined): void {
    if (resourceVersion === undefined) return;
    const before = this.#bySource.has(source) ? this.#bySource.get(source) : this.#written?.resourceVersion;
    this.#bySource.set(source, resourceVersion);
    this.#compare(before, resourceVersion);
  }

  /**
   * What is where this daemon's own last write should be. An object that is gone, or another of its name, may be that of
   * another control plane; one that is older than what was written shows that it went back, however far it has come since.
   */
  finds(found: ObjectMetadata | undefined, written: ObjectMetadata): void {
    const [there, ours] = [found?.resourceVersion, written.resourceVersion];
    if (found?.uid !== written.uid) this.#lookAgain();
    else if (there !== undefined && ours !== undefined && compareResourceVersions(there, ours) < 0)
      this.#wentBack(ours, there);
  }

  /** Asks for its version now, and keeps on disk how far it had come: before something is started. */
  async verify(ask: () => Promise<string>): Promise<void> {
    const before = this.#highest;
    this.#compare(before, await ask());
    await this.save();
  }

  #compare(before: string | undefined, now: string): void {
    if (before !== undefined && isBreach(before, now)) this.#wentBack(before, now);
    else if (this.#highest === undefined || compareResourceVersions(now, this.#highest) > 0) this.#highest = now;
  }

  /** On disk, if there is anything new: before anything is done that an older control plane would not know of. */
  async save(): Promise<void> {
    if (this.#known === undefined) return;
    const settled = this.doubt === undefined ? { resourceVersion: this.#highest ?? '0' } : {};
    const next = { ...this.#known, ...settled };
    const { uid, resourceVersion, doubt } = this.#written ?? {};
    if (uid === next.uid && resourceVersion === next.resourceVersion && doubt === next.doubt) return;
    await this.#options.memory.write(next);
    this.#written = next;
    this.#known = next;
  }

  /** The operator has heard every hypervisor: from now on this one is believed. */
  async settle(): Promise<void> {
    if (this.doubt === undefined) return;
    this.#options.logger.info('the hold is over: this control plane is believed from now on', { uid: this.#current });
    this.#known = { uid: this.#current, resourceVersion: this.#highest ?? '0' };
    await this.save();
  }

  #wentBack(from: string, to: string): void {
    this.#highest = to;
    if (this.#known === undefined || this.doubt !== undefined) return;
    this.#known = { ...this.#known, doubt: 'WentBack' };
    this.#options.logger.warn('the control plane went back in time, or leapt', { from, to });
    this.#tell();
    this.#lookAgain();
  }

  #lookAgain(): void {
    const call = this.#onDoubt;
    this.#onDoubt = undefined;
    call?.();
  }

  #tell(): void {
    const { uid } = this.#known ?? {};
    const fields = { doubt: this.doubt, known: uid, met: this.#current };
    this.#options.logger.warn(
      'nothing is done to any guest until the operator says that every hypervisor reported',
      fields,
    );
  }
}

/** The one that is known, after another was met under its address. */
function found({ doubt, ...known }: KnownControlPlane): KnownControlPlane {
  return doubt === undefined || doubt === 'Foreign' ? known : { ...known, doubt };
}

function isBreach(before: string, after: string): boolean {
  if (compareResourceVersions(after, before) < 0) return true;
  return before !== '0' && BigInt(after) - BigInt(before) > LEAP;
}
