// One domain of the simulated hypervisor.
import type { Limits } from '#crds/resources.ts';
import type {
  Domain,
  DomainDefinition,
  DomainMetadata,
  Inspection,
  Obstacle,
  ShutOffReason,
  UsageCounters,
} from '../driver.ts';
import type { Load } from './load.ts';

/** Each change of state is a new object, so that whoever waited can tell that the guest moved on meanwhile. */
export type Power =
  | { readonly kind: 'Off'; readonly reason: ShutOffReason }
  | { readonly kind: 'Starting'; readonly done: Promise<void> }
  | { readonly kind: 'Running'; readonly since: number }
  /** `asked`: to shut down, which it hears when it goes on. */
  | { readonly kind: 'Paused'; readonly since: number; readonly pausedAt: number; readonly asked: boolean }
  /** Its memory is being written to disk. */
  | { readonly kind: 'Saving'; readonly since: number; readonly pausedAt: number; readonly done: Promise<void> }
  | { readonly kind: 'ShuttingDown'; readonly since: number }
  /** Being received from another machine: it has not run here. */
  | { readonly kind: 'Incoming' }
  /** Stands still at the end of its way from here. */
  | { readonly kind: 'Outgoing'; readonly since: number };

export interface Guest {
  readonly uuid: string;
  readonly name: string;
  cpus: number;
  memoryBytes: number;
  macAddresses: readonly string[];
  /** What it was made of, and what else somebody put into it. */
  built: Pick<DomainDefinition, 'boot' | 'disks' | 'interfaces'>;
  hardware: string;
  obstacles: readonly Obstacle[];
  metadata: DomainMetadata | undefined;
  released: boolean;
  limits: Limits;
  /** A domain without a definition is gone when it ends. */
  persistent: boolean;
  power: Power;
  /** Memory that is kept: of a guest that had run for so many milliseconds. */
  image: { readonly ranFor: number } | undefined;
  /** Its process neither answers nor ends by itself. */
  hung: boolean;
  load: Load;
  /** When this load began, and what had been counted until then. */
  loadSince: number;
  counted: UsageCounters;
}

/** How a guest behaves, from its next start or request on. */
export interface GuestBehaviour {
  readonly ignoresShutdown: boolean;
  /** Until then it has no address and does not hear requests to shut down. */
  readonly bootMilliseconds: number;
  /** What the hypervisor says when it cannot start the guest. */
  readonly failsToStart: string | undefined;
  /** What the hypervisor says when it cannot write the memory of the guest to disk. */
  readonly failsToSave: string | undefined;
}

/** It has run here, and has not ended. */
export function isActive({ power }: Guest): boolean {
  return power.kind !== 'Off' && power.kind !== 'Starting' && power.kind !== 'Incoming';
}

/** It has a process, and does nothing. */
export function standsStill({ power }: Guest): boolean {
  return power.kind === 'Paused' || power.kind === 'Saving' || power.kind === 'Outgoing';
}

/** The guest as the port shows it. */
export function domainOf(guest: Guest): Domain {
  const { uuid, name, cpus, memoryBytes, metadata, power, image } = guest;
  return {
    uuid,
    name,
    cpus,
    memoryBytes,
    ...(metadata === undefined ? {} : { metadata }),
    ...(metadata === undefined && guest.released ? { released: true as const } : {}),
    ...(image === undefined || power.kind !== 'Off' ? {} : { hasImage: true as const }),
    ...powerStateOf(power, guest.hung),
  };
}

export function inspectionOf({ name, cpus, memoryBytes, built, hardware, obstacles }: Guest): Inspection {
  return { name, cpus, memoryBytes, ...built, hardware, obstacles };
}

/** A guest that is being started has a process already: who takes it for off may start it elsewhere. */
function powerStateOf(power: Power, hung: boolean): Pick<Domain, 'powerState' | 'shutOffReason'> {
  switch (power.kind) {
    case 'Off':
      return { powerState: 'ShutOff', shutOffReason: power.reason };
    case 'Starting':
      return { powerState: 'Unknown' };
    case 'Incoming':
    case 'Outgoing':
    case 'Running':
    case 'Paused':
    case 'Saving':
    case 'ShuttingDown':
      return { powerState: hung ? 'Unknown' : power.kind };
  }
}
