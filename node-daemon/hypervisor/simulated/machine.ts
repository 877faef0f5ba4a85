// The hypervisor of a simulated machine: what the verbs of the port do to its guests, without anything that may come
// between a driver and its hypervisor.
import type { Domain, DomainDefinition, DomainMetadata, NodeInfo, ObservedAddress, UsageSample } from '../driver.ts';
import { DriverError } from '../errors.ts';
import { addressOf } from './addresses.ts';
import { checkDefinition } from './definition-checks.ts';
import type { EventHub } from './event-hub.ts';
import { domainOf, type Guest, type GuestBehaviour, isActive, type Power } from './guest.ts';
import { GuestTable } from './guest-table.ts';
import { maskCounters, NOTHING_COUNTED } from './load.ts';
import type { MachineOptions } from './machine-options.ts';

const OBEDIENT: GuestBehaviour = { ignoresShutdown: false, bootMilliseconds: 0, failsToStart: undefined };

export class Machine {
  readonly options: MachineOptions;
  readonly guests: GuestTable;
  readonly #behaviours = new Map<string, GuestBehaviour>();

  constructor(options: MachineOptions, events: EventHub) {
    this.options = options;
    this.guests = new GuestTable(events, () => options.clock.monotonic());
  }

  behave(uuid: string, changes: Partial<GuestBehaviour>): void {
    this.#behaviours.set(uuid, { ...this.#behaviourOf(uuid), ...changes });
  }

  node(): NodeInfo {
    const { cpus, memoryBytes } = this.options;
    const freeMemoryBytes = Math.max(0, memoryBytes - this.guests.activeMemoryBytes);
    return { cpus, memoryBytes, freeMemoryBytes, architecture: 'x86_64' };
  }

  list(): Domain[] {
    return this.guests.all().map(domainOf);
  }

  define(definition: DomainDefinition): void {
    checkDefinition(definition, this.options.bootFiles);
    const existing = this.guests.find(definition.uuid);
    if (existing !== undefined && existing.power.kind !== 'Off') {
      throw new DriverError('Busy', `domain ${existing.name} runs; it can be redefined once it is off`);
    }
    const namesake = this.guests.findByName(definition.name);
    if (namesake !== undefined && namesake !== existing) {
      throw new DriverError('Conflict', `the name ${definition.name} belongs to domain ${namesake.uuid}`);
    }
    if (existing === undefined) {
      this.guests.add(this.#newGuest(definition));
    } else {
      redefine(existing, definition, this.options);
    }
  }

  #newGuest(definition: DomainDefinition): Guest {
    const { uuid, name } = definition;
    return {
      uuid,
      name,
      ...partsOf(definition, this.options),
      persistent: true,
      power: { kind: 'Off', reason: 'NeverStarted' },
      hung: false,
      loadSince: 0,
      counted: NOTHING_COUNTED,
    };
  }

  setMetadata(uuid: string, metadata: DomainMetadata): void {
    this.get(uuid).metadata = metadata;
  }

  /** Resolves when the guest runs. */
  async start(uuid: string): Promise<void> {
    const guest = this.get(uuid);
    if (isActive(guest)) {
      return;
    }
    if (guest.power.kind === 'Starting') {
      await guest.power.done;
      return;
    }
    this.#refuseStart(guest);
    if (this.options.startMilliseconds === 0) {
      this.guests.turnOn(guest);
      return;
    }
    const slept = this.options.clock.sleep(this.options.startMilliseconds);
    const power: Power = { kind: 'Starting', done: slept.then(() => this.#finishStart(guest, power)) };
    guest.power = power;
    await power.done;
  }

  #refuseStart(guest: Guest): void {
    const { failsToStart } = this.#behaviourOf(guest.uuid);
    if (failsToStart !== undefined) {
      this.guests.turnOff(guest, { reason: 'Failed', detail: 'failed to start', initiator: 'Host' });
      throw new DriverError('Failed', failsToStart);
    }
    if (guest.memoryBytes > this.options.memoryBytes) {
      throw new DriverError('NoRoom', `domain ${guest.name} needs more memory than this machine has`);
    }
  }

  #finishStart(guest: Guest, starting: Power): void {
    if (guest.power !== starting) {
      throw new DriverError('Failed', `domain ${guest.name} was stopped while it was being started`);
    }
    this.guests.turnOn(guest);
  }

  shutdown(uuid: string): void {
    const guest = this.get(uuid);
    if (!isActive(guest)) {
      return;
    }
    if (!this.options.features.has('GracefulShutdown')) {
      throw new DriverError('Unsupported', 'this hypervisor cannot ask guests to shut down');
    }
    // A guest that does not hear the request shows no sign of it, as with a real hypervisor.
    if (guest.power.kind !== 'Running' || !this.#hearsRequests(guest)) {
      return;
    }
    if (this.options.shutdownMilliseconds === 0) {
      this.#endObediently(guest);
      return;
    }
    const power: Power = { kind: 'ShuttingDown', since: guest.power.since };
    this.guests.change(guest, power, 'shutting down');
    void this.#endLater(guest, power);
  }

  async #endLater(guest: Guest, shuttingDown: Power): Promise<void> {
    await this.options.clock.sleep(this.options.shutdownMilliseconds);
    if (guest.power === shuttingDown) {
      this.#endObediently(guest);
    }
  }

  #endObediently(guest: Guest): void {
    this.guests.turnOff(guest, { reason: 'Shutdown', detail: 'shut down', initiator: 'Guest' });
  }

  destroy(uuid: string): void {
    const guest = this.guests.find(uuid);
    if (guest !== undefined && guest.power.kind !== 'Off') {
      this.guests.turnOff(guest, { reason: 'Destroyed', detail: 'destroyed', initiator: 'Host' });
    }
  }

  undefine(uuid: string): void {
    const guest = this.guests.find(uuid);
    if (guest === undefined) {
      return;
    }
    if (guest.power.kind !== 'Off') {
      throw new DriverError('Busy', `domain ${guest.name} runs; it can be undefined once it is off`);
    }
    this.guests.remove(guest, 'undefined');
  }

  usage(): UsageSample {
    const domains = new Map<string, UsageSample['node']>();
    for (const guest of this.guests.active()) {
      if (!guest.hung) {
        domains.set(guest.uuid, maskCounters(this.guests.countersOf(guest), this.options.features));
      }
    }
    return { node: this.guests.total(), domains };
  }

  addresses(uuid: string): ObservedAddress[] {
    if (!this.options.features.has('Addresses')) {
      throw new DriverError('Unsupported', 'this hypervisor does not know the addresses of guests');
    }
    const guest = this.get(uuid);
    return this.#isBooted(guest)
      ? guest.macAddresses.map((macAddress) => ({ ip: addressOf(macAddress), macAddress, source: 'Lease' }))
      : [];
  }

  /** Rejects with NotFound. */
  get(uuid: string): Guest {
    const guest = this.guests.find(uuid);
    if (guest === undefined) {
      throw new DriverError('NotFound', `there is no domain ${uuid}`);
    }
    return guest;
  }

  #hearsRequests(guest: Guest): boolean {
    return this.#isBooted(guest) && !guest.hung && !this.#behaviourOf(guest.uuid).ignoresShutdown;
  }

  #isBooted({ power, uuid }: Guest): boolean {
    const { bootMilliseconds } = this.#behaviourOf(uuid);
    const runs = power.kind === 'Running' || power.kind === 'ShuttingDown';
    return runs && this.options.clock.monotonic() - power.since >= bootMilliseconds;
  }

  #behaviourOf(uuid: string): GuestBehaviour {
    return this.#behaviours.get(uuid) ?? OBEDIENT;
  }
}

/** What a definition decides and a later one may change. */
function partsOf(definition: DomainDefinition, options: MachineOptions) {
  const { cpus, memoryBytes, metadata, interfaces } = definition;
  const macAddresses = interfaces.map(({ macAddress }) => macAddress);
  return { cpus, memoryBytes, metadata, macAddresses, load: options.load(definition) };
}

function redefine(guest: Guest, definition: DomainDefinition, options: MachineOptions): void {
  Object.assign(guest, partsOf(definition, options));
}
