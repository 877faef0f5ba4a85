// A machine with a hypervisor that exists in memory only. It outlives the drivers that are made for it, as a machine
// outlives its daemon. Everything that happens to it without a driver's doing is a method here.
import { createHash } from 'node:crypto';
import type { Obstacle, ShutOffReason } from '../driver.ts';
import { CallLog } from './call-log.ts';
import { Departures } from './departures.ts';
import { EventHub } from './event-hub.ts';
import { FaultPlan } from './faults.ts';
import type { Guest, GuestBehaviour } from './guest.ts';
import type { Load } from './load.ts';
import { Machine } from './machine.ts';
import { machineOptions, type SimulatedHostOptions } from './machine-options.ts';

/** Hanging: calls are accepted and none is answered. */
export type Connection = 'Connected' | 'Disconnected' | 'Hanging';

export interface ForeignDomain {
  readonly uuid: string;
  readonly name: string;
  readonly cpus?: number;
  readonly memoryBytes?: number;
  /** Off where this is false. */
  readonly running?: boolean;
  /** What no definition can say of it. */
  readonly obstacles?: readonly Obstacle[];
}

export class SimulatedHost {
  /** What the drivers talk to. */
  readonly machine: Machine;
  readonly events = new EventHub();
  /** Guests on their way from here. */
  readonly departures: Departures;
  /** Faults to come. */
  readonly faults = new FaultPlan();
  /** What was asked of it. */
  readonly log: CallLog;
  #connection: Connection = 'Connected';
  #boots = 1;

  constructor(options: SimulatedHostOptions) {
    const complete = machineOptions(options);
    this.machine = new Machine(complete, this.events);
    this.departures = new Departures(this.machine);
    complete.peers.join(this.migrationAddress, {
      machine: this.machine,
      answers: () => this.#connection === 'Connected',
    });
    this.log = new CallLog(complete.callLogLimit);
  }

  /** A UUID that changes with every boot and is the same in every run. */
  get bootID(): string {
    const hash = createHash('sha256').update(`${this.machine.options.name}/${this.#boots}`).digest('hex');
    return hash.slice(0, 32).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  }

  /** Where other simulated machines send guests to. */
  get migrationAddress(): string {
    return `simulated://${this.machine.options.name}`;
  }

  get connection(): Connection {
    return this.#connection;
  }

  /** Verbs reject with Unreachable until `reconnect`; guests run on. */
  disconnect(): void {
    this.#connection = 'Disconnected';
    this.events.emit({ kind: 'Disconnected', detail: 'the simulated connection was cut' });
  }

  /** Verbs reject with Timeout, at their deadline, until `reconnect`; guests run on. */
  hang(): void {
    this.#connection = 'Hanging';
  }

  /** Ends `disconnect` and `hang`. */
  reconnect(): void {
    const before = this.#connection;
    this.#connection = 'Connected';
    if (before === 'Disconnected') {
      this.events.emit({ kind: 'Reconnected' });
    }
  }

  /** The management of the hypervisor starts anew: guests run on, and it has forgotten why others are off. */
  restartManagement(): void {
    this.disconnect();
    this.departures.forget();
    for (const guest of this.machine.guests.all()) {
      this.#dropIncoming(guest);
      if (guest.power.kind === 'Off') {
        guest.power = { kind: 'Off', reason: 'Unknown' };
      }
    }
    this.reconnect();
  }

  /** The machine boots: every guest is off, counters begin at 0, the boot ID is another. */
  reboot(): void {
    this.disconnect();
    this.departures.forget();
    for (const guest of this.machine.guests.all()) {
      this.machine.guests.turnOff(guest, { reason: 'Unknown', detail: 'the machine booted', initiator: 'Unknown' });
    }
    this.machine.guests.resetCounters();
    this.#boots += 1;
    this.reconnect();
  }

  /** Nobody is left who would receive it. */
  #dropIncoming(guest: Guest): void {
    if (guest.power.kind !== 'Incoming') return;
    this.machine.guests.turnOff(guest, { reason: 'Destroyed', detail: 'not received', initiator: 'Host' });
  }

  /** The next events reach nobody. */
  loseEvents(count: number): void {
    this.events.lose(count);
  }

  /** How a guest behaves from now on; it need not be defined yet. */
  behave(uuid: string, behaviour: Partial<GuestBehaviour>): void {
    this.machine.behave(uuid, behaviour);
  }

  setLoad(uuid: string, load: Load): void {
    this.machine.guests.setLoad(this.machine.get(uuid), load);
  }

  /** The process of the guest neither answers nor ends by itself. */
  hangGuest(uuid: string): void {
    this.machine.get(uuid).hung = true;
  }

  crash(uuid: string): void {
    this.#end(uuid, 'Crashed', 'crashed', 'Unknown');
  }

  powerOffFromInside(uuid: string): void {
    this.#end(uuid, 'Shutdown', 'shut down', 'Guest');
  }

  destroyBehindOurBack(uuid: string): void {
    this.#end(uuid, 'Destroyed', 'destroyed', 'Host');
  }

  /** As virsh suspend does. */
  pauseBehindOurBack(uuid: string): void {
    this.machine.pause(uuid);
  }

  /** As virsh resume does. */
  resumeBehindOurBack(uuid: string): void {
    this.machine.resume(uuid);
  }

  /** As virsh managedsave does. */
  async hibernateBehindOurBack(uuid: string): Promise<void> {
    await this.machine.hibernate(uuid);
  }

  /** As virsh managedsave-remove does: nobody is told. */
  discardImageBehindOurBack(uuid: string): void {
    this.machine.discardImage(uuid);
  }

  #end(uuid: string, reason: ShutOffReason, detail: string, initiator: 'Guest' | 'Host' | 'Unknown'): void {
    this.machine.guests.turnOff(this.machine.get(uuid), { reason, detail, initiator });
  }

  /** One that runs goes on running and is gone when it ends. */
  undefineBehindOurBack(uuid: string): void {
    const guest = this.machine.get(uuid);
    if (guest.power.kind === 'Off') {
      this.machine.guests.remove(guest, 'undefined');
    } else {
      guest.persistent = false;
    }
  }

  /** A domain that carries no metadata of ours. */
  createForeign({ obstacles = [], ...foreign }: ForeignDomain): void {
    const { uuid, name, cpus = 1, memoryBytes = 2 ** 28, running = true } = foreign;
    const metadata = { uid: uuid, namespace: '', name: '', epoch: 0, generation: 0, payload: '', signature: '' };
    const boot = { kind: 'Disk', disk: 'root' } as const;
    const disks = [{ name: 'root', pool: 'default', volume: `${name}.img`, format: 'raw', readOnly: false }] as const;
    this.machine.define({ uuid, name, cpus, memoryBytes, boot, disks: [...disks], interfaces: [], metadata });
    const guest = this.machine.get(uuid);
    guest.metadata = undefined;
    guest.hardware = 'machine pc-i440fx-7.2; disk vda on ide';
    guest.obstacles = obstacles;
    if (running) {
      this.machine.guests.turnOn(guest);
    }
  }
}
