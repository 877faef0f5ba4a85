// All guests of a simulated host, with what must be known of them together without going through them.
import type { EventInitiator, ShutOffReason, StartOptions, UsageCounters } from '../driver.ts';
import type { EventHub } from './event-hub.ts';
import { type Guest, isActive, type Power, standsStill } from './guest.ts';
import { addCounters, type Load, NOTHING_COUNTED } from './load.ts';

export class GuestTable {
  readonly #byUuid = new Map<string, Guest>();
  readonly #byName = new Map<string, Guest>();
  readonly #active = new Set<Guest>();
  readonly #events: EventHub;
  readonly #monotonic: () => number;
  #activeMemoryBytes = 0;
  /** What guests had counted that have ended since the boot. */
  #ended: UsageCounters = NOTHING_COUNTED;

  constructor(events: EventHub, monotonic: () => number) {
    this.#events = events;
    this.#monotonic = monotonic;
  }

  get activeMemoryBytes(): number {
    return this.#activeMemoryBytes;
  }

  find(uuid: string): Guest | undefined {
    return this.#byUuid.get(uuid);
  }

  findByName(name: string): Guest | undefined {
    return this.#byName.get(name);
  }

  all(): Guest[] {
    return [...this.#byUuid.values()];
  }

  active(): Iterable<Guest> {
    return this.#active;
  }

  add(guest: Guest): void {
    this.#byUuid.set(guest.uuid, guest);
    this.#byName.set(guest.name, guest);
  }

  remove(guest: Guest, detail: string): void {
    this.#byUuid.delete(guest.uuid);
    this.#byName.delete(guest.name);
    this.#announce(guest, detail, 'Unknown');
  }

  /** From its image where it has one. */
  turnOn(guest: Guest, { paused = false }: StartOptions = {}, detail?: string): void {
    const now = this.#monotonic();
    const { image } = guest;
    const since = now - (image?.ranFor ?? 0);
    guest.power = paused ? { kind: 'Paused', since, pausedAt: now, asked: false } : { kind: 'Running', since };
    guest.image = undefined;
    guest.hung = false;
    guest.loadSince = now;
    guest.counted = NOTHING_COUNTED;
    this.#active.add(guest);
    this.#activeMemoryBytes += guest.memoryBytes;
    this.#announce(guest, detail ?? (image === undefined ? 'started' : 'restored'), 'Unknown');
  }

  /** Quiet when the guest is not active. */
  turnOff(guest: Guest, end: { reason: ShutOffReason; detail: string; initiator: EventInitiator }): void {
    if (isActive(guest)) {
      this.#active.delete(guest);
      this.#activeMemoryBytes -= guest.memoryBytes;
      this.#ended = { ...addCounters(this.#ended, this.countersOf(guest)), memoryBytes: 0 };
    }
    guest.power = { kind: 'Off', reason: end.reason };
    guest.hung = false;
    this.#announce(guest, end.detail, end.initiator);
    if (!guest.persistent) {
      this.remove(guest, 'undefined');
    }
  }

  /** A change of state that is neither a start nor an end. */
  change(guest: Guest, power: Power, detail: string): void {
    guest.power = power;
    this.#announce(guest, detail, 'Unknown');
  }

  /** Nothing of ours is left with it. */
  disown(guest: Guest): void {
    if (guest.metadata === undefined) return;
    guest.metadata = undefined;
    guest.released = true;
    this.#announce(guest, 'released', 'Unknown');
  }

  /** From now on it stands still, or goes on: it uses its memory and nothing else meanwhile. */
  changePace(guest: Guest, power: Power, detail: string): void {
    this.setLoad(guest, guest.load);
    this.change(guest, power, detail);
  }

  /** Another load from now on; what was counted stays counted. */
  setLoad(guest: Guest, load: Load): void {
    guest.counted = { ...this.countersOf(guest), memoryBytes: 0 };
    guest.loadSince = this.#monotonic();
    guest.load = load;
  }

  countersOf(guest: Guest): UsageCounters {
    const elapsed = standsStill(guest) ? 0 : this.#monotonic() - guest.loadSince;
    return addCounters(guest.counted, guest.load(elapsed));
  }

  /** Sum over all guests since the boot. */
  total(): UsageCounters {
    let total = this.#ended;
    for (const guest of this.#active) {
      total = addCounters(total, this.countersOf(guest));
    }
    return total;
  }

  /** Forgets what was counted, as a boot does. Everything must be off. */
  resetCounters(): void {
    this.#ended = NOTHING_COUNTED;
  }

  #announce(guest: Guest, detail: string, initiator: EventInitiator): void {
    this.#events.emit({ kind: 'Changed', uuid: guest.uuid, detail, initiator });
  }
}
