// The daemon's side: which guests are to be guarded, whether the guard has heard of it, and what the Lease may promise.
import { type GuardPromise, guardPromiseText } from '#crds/derive/guard-promise.ts';
import { instanceUuid } from '#crds/derive/signed-payload.ts';
import { GUARD_ANNOTATION } from '#crds/v1alpha1/names.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { Clock } from '#runtime/clock/clock.ts';
import { pause } from '#runtime/clock/signals.ts';
import type { Logger } from '#runtime/process/log.ts';
import type { BootTime, GuardedGuest, GuardFiles, Orders } from './orders.ts';

export interface GuardingOptions {
  readonly files: GuardFiles;
  readonly bootID: string;
  readonly bootTime: BootTime;
  readonly promise: GuardPromise;
  readonly clock: Clock;
  readonly logger: Logger;
}

const LOOK_EVERY_MS = 500;
/** As many renewals as may be on their way at once, and more. */
const SENDINGS = 8;
/** A guard that has not looked for so long is not there. */
const GUARD_SILENT_MS = 5_000;

export class Guarding {
  readonly #options: GuardingOptions;
  /** VMs that are placed here, whoever wants them guarded. */
  #machines: () => readonly VirtualMachine[] = () => [];
  #onGuarded: (uuids: readonly string[]) => void = () => undefined;
  /** When renewals were about to be sent, on both clocks; the newest last. */
  #sendings: readonly { readonly monotonic: number; readonly bootTime: number }[] = [];
  #orders: Orders | undefined;
  #isArmed = false;
  #standsDown = false;
  #guarded: ReadonlySet<string> = new Set();

  constructor(options: GuardingOptions) {
    this.#options = options;
  }

  /** From now on these are looked after; `onGuarded` is told of guests that have come under guard. */
  lookAfter(machines: () => readonly VirtualMachine[], onGuarded: (uuids: readonly string[]) => void): void {
    this.#machines = machines;
    this.#onGuarded = onGuarded;
  }

  /** Whether the guard knows of this guest. It may be told of it, and the Lease says whether the guard is alive. */
  isGuarded(uuid: string): boolean {
    return this.#guarded.has(uuid);
  }

  /** What the renewal that is about to be sent may promise. */
  readonly annotations = (): Readonly<Record<string, string | null>> => {
    const { clock, bootTime } = this.#options;
    this.#sendings = [...this.#sendings, { monotonic: clock.monotonic(), bootTime: bootTime() }].slice(-SENDINGS);
    return { [GUARD_ANNOTATION]: this.#isArmed ? guardPromiseText(this.#options.promise) : null };
  };

  /**
   * The renewal that was sent then, on the monotonic clock, has succeeded: the guard counts from before that. An answer may
   * be late, with another renewal on its way that may fail.
   */
  readonly renewed = (sentAt: number): void => {
    const sending = this.#sendings.findLast(({ monotonic }) => monotonic <= sentAt);
    const known = this.#orders?.renewedAt ?? Number.NEGATIVE_INFINITY;
    if (sending === undefined || sending.bootTime <= known) return;
    void this.#give({ renewedAt: sending.bootTime, guests: this.#orders?.guests ?? [] });
  };

  /** The Lease was given up, and its promise with it: nobody is to be stopped because we are not there. */
  async standDown(): Promise<void> {
    this.#standsDown = true;
    const { bootTime } = this.#options;
    await this.#give({ renewedAt: this.#orders?.renewedAt ?? bootTime(), guests: [] });
  }

  /** Tells the guard of changes, and hears of it. Until the signal aborts; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    this.#orders ??= await this.#former();
    while (!signal.aborted) {
      await this.#tell();
      await this.#hear();
      await pause(this.#options.clock, LOOK_EVERY_MS, signal);
    }
  }

  /** What the daemon before this one had ordered stands until it is changed. */
  async #former(): Promise<Orders | undefined> {
    const orders = await this.#options.files.orders().catch(() => undefined);
    return orders?.bootID === this.#options.bootID ? orders : undefined;
  }

  async #tell(): Promise<void> {
    const { renewedAt } = this.#orders ?? {};
    if (renewedAt === undefined || this.#standsDown) return;
    const guests = guardedOf(this.#machines());
    if (sameGuests(guests, this.#orders?.guests ?? [])) return;
    await this.#give({ renewedAt, guests });
  }

  async #give(given: Pick<Orders, 'renewedAt' | 'guests'>): Promise<void> {
    const { files, bootID, promise, logger } = this.#options;
    // Never one that was used before, whatever became of the files.
    const seq = (this.#orders?.seq ?? Math.floor(this.#options.bootTime())) + 1;
    this.#orders = { seq, bootID, deadlineSeconds: promise.deadlineSeconds, ...given };
    try {
      await files.give(this.#orders);
    } catch (error) {
      this.#isArmed = false;
      logger.error('the guard cannot be given orders: nothing is promised in its name', { error });
    }
  }

  async #hear(): Promise<void> {
    const { files, bootID, bootTime, logger } = this.#options;
    const heard = await files.acknowledgement().catch(() => undefined);
    const isAlive = heard?.bootID === bootID && bootTime() - heard.at < GUARD_SILENT_MS;
    if (isAlive !== this.#isArmed) {
      if (isAlive) logger.info('the guard is there');
      else logger.warn('the guard is not heard: nothing is promised in its name');
    }
    this.#isArmed = isAlive;
    const orders = this.#orders;
    if (!isAlive || orders === undefined || heard.seq !== orders.seq) return;
    const before = this.#guarded;
    this.#guarded = new Set(orders.guests.map(({ uuid }) => uuid));
    const changed = [...this.#guarded].filter((uuid) => !before.has(uuid));
    if (changed.length > 0) this.#onGuarded(changed);
  }
}

/** Those that may be started elsewhere, and those that are told to be guarded until it is told otherwise. */
function guardedOf(machines: readonly VirtualMachine[]): GuardedGuest[] {
  return machines
    .filter(({ spec, status }) => spec.recovery.onLost === 'Restart' || status?.instance?.guarded === true)
    .map((vm) => ({ uuid: instanceUuid(vm), name: `${vm.metadata.namespace}/${vm.metadata.name}` }))
    .sort((one, other) => (one.uuid < other.uuid ? -1 : 1));
}

function sameGuests(some: readonly GuardedGuest[], others: readonly GuardedGuest[]): boolean {
  return some.length === others.length && some.every(({ uuid }, index) => uuid === others[index]?.uuid);
}
