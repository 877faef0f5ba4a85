// The one admission point of the node: what runs here never adds up to more than may be given away.
import { type Amount, minus, NO_AMOUNT, NOTHING_GUARANTEED, plus, type Want, wantsIn } from '#crds/amount.ts';
import { formatCpus } from '#crds/cpu-quantity.ts';
import { formatQuantity } from '#crds/quantity.ts';
import { type Domain, isUp } from '../hypervisor/driver.ts';
import { amountHeldBy } from './held.ts';
import type { Room } from './snapshot.ts';

export class Admission {
  readonly #accepted = new Map<string, Amount>();
  /** Kept for guests that are to come from elsewhere. */
  readonly #kept = new Map<string, Amount>();
  readonly #starting = new Set<string>();
  /** uuid → when what is held for it last changed, counted in changes. */
  readonly #changedAt = new Map<string, number>();
  #changes = 0;
  #listed = false;
  #allocatable: Amount | undefined;

  /** Nothing fits before this was told once. */
  setAllocatable(allocatable: Amount): void {
    this.#allocatable = allocatable;
  }

  /** Whether this guest fits beside all others, itself not counted twice; undefined before all of them were listed. */
  roomFor(uuid: string, amount: Amount): Room {
    if (this.#allocatable === undefined || !this.#listed)
      return { fits: undefined, reason: 'What this machine can give away is not known yet.' };
    const left = minus(this.#allocatable, this.#takenByOthers(uuid));
    const [want] = wantsIn(amount, left);
    return want === undefined ? { fits: true } : { fits: false, reason: missing(want, amount, left) };
  }

  /** Takes the room before the start is tried, and says whether it was there; if so, `started` or `release` follows. */
  accept(uuid: string, amount: Amount): boolean {
    if (this.roomFor(uuid, amount).fits !== true) return false;
    this.#hold(uuid, amount);
    this.#starting.add(uuid);
    return true;
  }

  started(uuid: string): void {
    this.#starting.delete(uuid);
    this.#touch(uuid);
  }

  release(uuid: string): void {
    this.#hold(uuid, undefined);
    this.#starting.delete(uuid);
  }

  /** Keeps room for a guest that is to come from elsewhere, and says whether it was there. */
  keep(uuid: string, amount: Amount): boolean {
    if (this.roomFor(uuid, amount).fits !== true) return false;
    this.#kept.set(uuid, amount);
    return true;
  }

  /** What is kept for this guest, as was promised before; nothing where that is undefined. */
  promised(uuid: string, amount: Amount | undefined): void {
    if (amount === undefined) this.#kept.delete(uuid);
    else this.#kept.set(uuid, amount);
  }

  /** Whether the outcome of any start is open. */
  isStarting(): boolean {
    return this.#starting.size > 0;
  }

  /** What the guest was just seen to have. */
  observe(uuid: string, domain: Domain | undefined): void {
    if (this.#starting.has(uuid)) return;
    this.#hold(uuid, domain !== undefined && isUp(domain) ? amountHeldBy(domain) : undefined);
  }

  /** To be called before a list of all guests is asked for, and given back with it. */
  mark(): number {
    return this.#changes;
  }

  /**
   * A complete list of all guests here, foreign ones too: they take room like any other. A guest that was looked at, or
   * started, after `mark` is known better already.
   */
  observeAll(domains: readonly Domain[], mark: number): void {
    const listed = new Map(domains.map((domain) => [domain.uuid, domain]));
    for (const uuid of new Set([...this.#accepted.keys(), ...listed.keys()])) {
      if ((this.#changedAt.get(uuid) ?? 0) <= mark) this.observe(uuid, listed.get(uuid));
    }
    for (const uuid of this.#changedAt.keys()) {
      if (!this.#accepted.has(uuid) && !listed.has(uuid)) this.#changedAt.delete(uuid);
    }
    this.#listed = true;
  }

  /** Lists that were asked for before say nothing of it any more. */
  #touch(uuid: string): void {
    this.#changes += 1;
    this.#changedAt.set(uuid, this.#changes);
  }

  #hold(uuid: string, amount: Amount | undefined): void {
    this.#touch(uuid);
    if (amount === undefined) this.#accepted.delete(uuid);
    else this.#accepted.set(uuid, amount);
  }

  #takenByOthers(uuid: string): Amount {
    const held = new Map([...this.#kept, ...this.#accepted]);
    held.delete(uuid);
    return [...held.values()].reduce(plus, NO_AMOUNT);
  }
}

function missing(want: Want, needed: Amount, left: Amount): string {
  const [asked, there] = [needed.guaranteed ?? NOTHING_GUARANTEED, left.guaranteed ?? NOTHING_GUARANTEED];
  const none = (amount: number) => Math.max(amount, 0);
  switch (want) {
    case 'Cpus':
      return `CPUs needed: ${needed.cpus}, free: ${none(left.cpus)}.`;
    case 'Memory':
      return `Memory needed: ${formatQuantity(needed.memoryBytes)}, free: ${formatQuantity(none(left.memoryBytes))}.`;
    case 'ReservedCpus':
      return `CPUs to be reserved: ${formatCpus(asked.cpuMillis)}, not reserved yet: ${formatCpus(none(there.cpuMillis))}.`;
    case 'GuaranteedMemory': {
      const [bytes, rest] = [formatQuantity(asked.memoryBytes), formatQuantity(none(there.memoryBytes))];
      return `Memory to be guaranteed: ${bytes}, not guaranteed yet: ${rest}.`;
    }
  }
}
