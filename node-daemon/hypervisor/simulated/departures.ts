// Guests on their way from one simulated machine to others. As with a real hypervisor the memory goes first, while the
// guest runs here; then it stands still here; then it runs there; and then it is off here. Whatever ends on either side
// meanwhile breaks the journey off, and what is left on both sides depends on how far it was.
import type { MigrationOptions, MigrationProgress } from '../driver.ts';
import { DriverError } from '../errors.ts';
import type { Guest, Power } from './guest.ts';
import type { Machine } from './machine.ts';
import type { Peer } from './peers.ts';

/** Bytes. */
const MIB = 2 ** 20;

interface Journey {
  readonly guest: Guest;
  readonly arrival: Guest;
  readonly target: Peer;
  readonly began: number;
  readonly copyMs: number;
  /** Ends the copying early, with why. */
  readonly end: AbortController;
}

export class Departures {
  readonly #machine: Machine;
  readonly #journeys = new Map<string, Journey>();

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** Throws Unsupported where guests cannot move. */
  demand(): void {
    if (!this.#machine.options.features.has('LiveMigration')) {
      throw new DriverError('Unsupported', 'guests cannot move to or from this hypervisor');
    }
  }

  async migrate(uuid: string, address: string, options: MigrationOptions): Promise<void> {
    this.demand();
    const { clock } = this.#machine.options;
    const journey = this.#depart(this.#machine.get(uuid), address, options);
    const giveUp = () => journey.end.abort(`it was not done within ${options.timeoutMs / 1000} s, and was given up`);
    const over = new AbortController();
    clock.sleep(options.timeoutMs, over.signal).then(giveUp, () => undefined);
    try {
      await this.#copy(journey);
      await this.#handOver(journey);
    } finally {
      over.abort();
      if (this.#journeys.get(uuid) === journey) this.#journeys.delete(uuid);
    }
  }

  #depart(guest: Guest, address: string, { bandwidthMiB }: MigrationOptions): Journey {
    if (!address.startsWith('simulated://')) throw new DriverError('Invalid', `${address} is no simulated hypervisor`);
    if (guest.power.kind !== 'Running' || this.#journeys.has(guest.uuid)) {
      throw new DriverError('Busy', `domain ${guest.name} cannot be moved now`);
    }
    const target = this.#machine.options.peers.find(address);
    if (target?.answers() !== true) throw new DriverError('Failed', `${address} cannot be reached`);
    const arrival = received(target.machine, guest);
    const { clock, copyMilliseconds } = this.#machine.options;
    const slowed = bandwidthMiB === undefined ? 0 : (guest.memoryBytes / MIB / bandwidthMiB) * 1000;
    const copyMs = Math.max(copyMilliseconds, slowed);
    const journey = { guest, arrival, target, began: clock.monotonic(), copyMs, end: new AbortController() };
    this.#journeys.set(guest.uuid, journey);
    return journey;
  }

  /** Until all is there. Throws where it does not get so far: the guest runs on here, or has ended. */
  async #copy(journey: Journey): Promise<void> {
    const { guest, arrival, copyMs, end } = journey;
    const { power } = guest;
    if (copyMs > 0) await this.#machine.options.clock.sleep(copyMs, end.signal).catch(() => undefined);
    const stays = arrival.power.kind === 'Incoming' && guest.power === power && !end.signal.aborted;
    if (stays) return;
    withdraw(journey);
    const why = end.signal.aborted ? String(end.signal.reason) : 'one of the two sides of it has ended';
    throw new DriverError('Failed', `domain ${guest.name} stays: ${why}`);
  }

  /** The guest stands still, then runs there, then is off here; each may be the last that happens. */
  async #handOver(journey: Journey): Promise<void> {
    const { guest, arrival, target } = journey;
    const { clock, handOverMilliseconds } = this.#machine.options;
    const still: Power = { kind: 'Outgoing', since: 'since' in guest.power ? guest.power.since : 0 };
    this.#machine.guests.changePace(guest, still, 'stands still');
    if (handOverMilliseconds > 0) await clock.sleep(handOverMilliseconds);
    if (arrival.power.kind !== 'Incoming' || guest.power !== still || this.#isForgotten(journey)) {
      return this.#breakOff(journey, still);
    }
    arrival.persistent = true;
    target.machine.guests.turnOn(arrival, {}, 'arrived');
    if (handOverMilliseconds > 0) await clock.sleep(handOverMilliseconds);
    if (this.#isForgotten(journey)) throw new DriverError('Unreachable', 'the hypervisor was restarted meanwhile');
    if (guest.power === still) {
      this.#machine.guests.turnOff(guest, { reason: 'Migrated', detail: 'left', initiator: 'Host' });
    }
  }

  /** It did not come to run there. Here it runs on, unless whoever managed it here was restarted: then it stands still. */
  #breakOff(journey: Journey, still: Power): never {
    withdraw(journey);
    const { guest } = journey;
    if (!this.#isForgotten(journey) && guest.power === still) resumed(this.#machine, guest);
    throw new DriverError('Failed', `domain ${guest.name} stays: it did not come to run there`);
  }

  #isForgotten(journey: Journey): boolean {
    return this.#journeys.get(journey.guest.uuid) !== journey;
  }

  /** The management of this hypervisor starts anew, and gives up what it can. */
  forget(): void {
    for (const { end } of this.#journeys.values()) end.abort('the hypervisor was restarted');
    this.#journeys.clear();
  }

  progress(uuid: string): MigrationProgress | undefined {
    const journey = this.#journeys.get(uuid);
    if (journey === undefined) return undefined;
    const { guest, began, copyMs } = journey;
    const elapsed = this.#machine.options.clock.monotonic() - began;
    const share = copyMs === 0 ? 1 : Math.min(elapsed / copyMs, 1);
    const processedBytes = Math.floor(guest.memoryBytes * share);
    const totalBytes = guest.memoryBytes;
    return { processedBytes, remainingBytes: totalBytes - processedBytes, totalBytes, iteration: 1 };
  }

  abort(uuid: string): void {
    this.#journeys.get(uuid)?.end.abort('it was aborted');
  }

  takeBack(uuid: string): void {
    const guest = this.#machine.get(uuid);
    if (guest.power.kind === 'Running') return;
    if (guest.power.kind !== 'Outgoing' || this.#journeys.has(uuid)) {
      throw new DriverError('Busy', `domain ${guest.name} is ${guest.power.kind}, and not to be taken back`);
    }
    resumed(this.#machine, guest);
  }
}

function resumed({ guests }: Machine, guest: Guest): void {
  const since = 'since' in guest.power ? guest.power.since : 0;
  guests.changePace(guest, { kind: 'Running', since }, 'runs on');
}

/** The guest as it begins to come in. Throws Failed where it cannot: that is what the source hears. */
function received(machine: Machine, guest: Guest): Guest {
  try {
    machine.refuseIncoming(guest);
  } catch (error) {
    throw new DriverError('Failed', error instanceof Error ? error.message : String(error), error);
  }
  if (guest.memoryBytes > machine.options.memoryBytes)
    throw new DriverError('Failed', 'the machine there has too little memory');
  const arrival: Guest = { ...guest, persistent: false, hung: false, power: { kind: 'Incoming' } };
  machine.guests.add(arrival);
  machine.guests.change(arrival, arrival.power, 'coming in');
  return arrival;
}

function withdraw({ arrival, target }: Journey): void {
  if (arrival.power.kind !== 'Incoming') return;
  target.machine.guests.turnOff(arrival, { reason: 'Failed', detail: 'not received', initiator: 'Host' });
}
