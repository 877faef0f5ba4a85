// The hypervisor of a simulated machine: what the verbs of the port do to its guests, without anything that may come
// between a driver and its hypervisor.
import type { Limits } from '#crds/resources.ts';
import type {
  Domain,
  DomainDefinition,
  DomainMetadata,
  Feature,
  NodeInfo,
  ObservedAddress,
  StartOptions,
  UsageSample,
} from '../driver.ts';
import { DriverError } from '../errors.ts';
import { addressOf } from './addresses.ts';
import { checkDefinition } from './definition-checks.ts';
import type { EventHub } from './event-hub.ts';
import { domainOf, type Guest, type GuestBehaviour, isActive, type Power } from './guest.ts';
import { GuestTable } from './guest-table.ts';
import { maskCounters, NOTHING_COUNTED } from './load.ts';
import type { MachineOptions } from './machine-options.ts';
import { partsOf } from './parts.ts';
import { rebootGuest } from './reboot.ts';
import { beginSaving, finishSaving, pauseGuest, refuseWithImage, resumeGuest } from './standstill.ts';

const OBEDIENT: GuestBehaviour = {
  ignoresShutdown: false,
  bootMilliseconds: 0,
  failsToStart: undefined,
  failsToSave: undefined,
};

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

  /** Throws Invalid or Conflict where a guest like this could not come here. */
  checkIncoming(definition: DomainDefinition): void {
    checkDefinition(definition, this.options.bootFiles);
    this.refuseIncoming(definition);
  }

  /** Throws Conflict where it, or another of its name, is here. */
  refuseIncoming({ uuid, name }: Pick<Guest, 'uuid' | 'name'>): void {
    const own = this.guests.find(uuid);
    if (own !== undefined && own.power.kind !== 'Off') {
      throw new DriverError('Conflict', `domain ${own.name} is here already, and runs`);
    }
    const namesake = this.guests.findByName(name);
    if (namesake !== undefined && namesake !== own) {
      throw new DriverError('Conflict', `the name ${name} belongs to domain ${namesake.uuid}`);
    }
  }

  define(definition: DomainDefinition): void {
    checkDefinition(definition, this.options.bootFiles);
    if (definition.limits !== undefined) this.#demand('CpuGuarantees', 'guarantee or limit CPU time');
    const existing = this.guests.find(definition.uuid);
    if (existing !== undefined && existing.power.kind !== 'Off') {
      throw new DriverError('Busy', `domain ${existing.name} runs; it can be redefined once it is off`);
    }
    refuseWithImage(existing);
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
      image: undefined,
      hung: false,
      loadSince: 0,
      counted: NOTHING_COUNTED,
    };
  }

  setMetadata(uuid: string, metadata: DomainMetadata): void {
    const guest = this.get(uuid);
    refuseWithImage(guest);
    guest.metadata = metadata;
  }

  release(uuid: string): void {
    const guest = this.guests.find(uuid);
    refuseWithImage(guest);
    if (guest !== undefined) this.guests.disown(guest);
  }

  /** Resolves when the guest runs. */
  async start(uuid: string, how: StartOptions = {}): Promise<void> {
    if (how.paused === true) this.#demand('StartPaused', 'start guests that stand still');
    const guest = this.get(uuid);
    if (isActive(guest) || guest.power.kind === 'Incoming') {
      return;
    }
    if (guest.power.kind === 'Starting') {
      await guest.power.done;
      return;
    }
    if (how.restore === true && guest.image === undefined) {
      throw new DriverError('Failed', `the memory of domain ${guest.name} is not kept here any more`);
    }
    this.#refuseStart(guest);
    if (this.options.startMilliseconds === 0) {
      this.guests.turnOn(guest, how);
      return;
    }
    const slept = this.options.clock.sleep(this.options.startMilliseconds);
    const power: Power = { kind: 'Starting', done: slept.then(() => this.#finishStart(guest, power, how)) };
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

  #finishStart(guest: Guest, starting: Power, how: StartOptions): void {
    if (guest.power !== starting) {
      throw new DriverError('Failed', `domain ${guest.name} was stopped while it was being started`);
    }
    this.guests.turnOn(guest, how);
  }

  pause(uuid: string): void {
    this.#demand('Pause', 'pause guests');
    pauseGuest(this.guests, refuseMoving(this.get(uuid)), this.#now());
  }

  resume(uuid: string): void {
    this.#demand('Pause', 'pause guests');
    const guest = refuseMoving(this.get(uuid));
    if (resumeGuest(this.guests, guest, this.#now())) this.shutdown(uuid);
  }

  /** Resolves when its memory is on disk. */
  async hibernate(uuid: string): Promise<void> {
    this.#demand('Hibernate', 'keep the memory of guests');
    const guest = refuseMoving(this.get(uuid));
    if (guest.power.kind === 'Saving') return guest.power.done;
    const before = beginSaving(guest);
    if (before === undefined) return;
    const { failsToSave } = this.#behaviourOf(uuid);
    if (failsToSave !== undefined) throw new DriverError('Failed', failsToSave);
    const ranFor = (before.kind === 'Paused' ? before.pausedAt : this.#now()) - before.since;
    if (this.options.saveMilliseconds === 0) return finishSaving(this.guests, guest, ranFor);
    await this.#save(guest, ranFor);
  }

  async #save(guest: Guest, ranFor: number): Promise<void> {
    const now = this.#now();
    const slept = this.options.clock.sleep(this.options.saveMilliseconds);
    const power: Power = {
      kind: 'Saving',
      since: now - ranFor,
      pausedAt: now,
      done: slept.then(() => this.#finishSave(guest, power, ranFor)),
    };
    this.guests.changePace(guest, power, 'being saved');
    await power.done;
  }

  #finishSave(guest: Guest, saving: Power, ranFor: number): void {
    if (guest.power !== saving) throw new DriverError('Failed', `domain ${guest.name} ended while it was being saved`);
    finishSaving(this.guests, guest, ranFor);
  }

  discardImage(uuid: string): void {
    this.#demand('Hibernate', 'keep the memory of guests');
    const guest = this.guests.find(uuid);
    if (guest !== undefined) guest.image = undefined;
  }

  limits(uuid: string): Limits {
    this.#demand('CpuGuarantees', 'guarantee or limit CPU time');
    return this.get(uuid).limits;
  }

  setLimits(uuid: string, limits: Limits): void {
    this.#demand('CpuGuarantees', 'guarantee or limit CPU time');
    this.get(uuid).limits = limits;
  }

  shutdown(uuid: string): void {
    const guest = this.get(uuid);
    if (!isActive(guest)) {
      return;
    }
    this.#demand('GracefulShutdown', 'ask guests to shut down');
    if (guest.power.kind === 'Paused') guest.power = { ...guest.power, asked: true };
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

  /** Each counts: whoever is asked twice reboots twice. */
  reboot(uuid: string): void {
    const guest = this.get(uuid);
    this.#demand('Reboot', 'have guests reboot');
    rebootGuest(this.guests, guest, { now: this.#now(), hears: this.#hearsRequests(guest) });
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
    this.#demand('Addresses', 'tell the addresses of guests');
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
    if (power.kind === 'Off' || power.kind === 'Starting' || power.kind === 'Incoming') return false;
    const until = 'pausedAt' in power ? power.pausedAt : this.#now();
    return until - power.since >= this.#behaviourOf(uuid).bootMilliseconds;
  }

  #now(): number {
    return this.options.clock.monotonic();
  }

  #demand(feature: Feature, what: string): void {
    if (!this.options.features.has(feature)) throw new DriverError('Unsupported', `this hypervisor cannot ${what}`);
  }

  #behaviourOf(uuid: string): GuestBehaviour {
    return this.#behaviours.get(uuid) ?? OBEDIENT;
  }
}

/** Whoever paused, resumed or saved a guest between two machines could make it run twice. */
function refuseMoving(guest: Guest): Guest {
  if (guest.power.kind === 'Incoming' || guest.power.kind === 'Outgoing') {
    throw new DriverError('Busy', `domain ${guest.name} moves: it is ${guest.power.kind}`);
  }
  return guest;
}

function redefine(guest: Guest, definition: DomainDefinition, options: MachineOptions): void {
  Object.assign(guest, partsOf(definition, options));
}
