// Everything a decision on one guest may look at, gathered beforehand and frozen.
import type { Limits } from '#crds/resources.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { Address } from '#crds/v1alpha1/virtual-machine-status.ts';
import type { Domain, EventInitiator, Inspection, MigrationProgress, Observation } from '../hypervisor/driver.ts';
import type { DomainMemory } from './memory.ts';
import type { OwnMove } from './moves.ts';

/** What a read of the object itself said in this pass. A cache proves nothing: see `planDomain`. */
export type Live =
  | { readonly kind: 'NotAsked' }
  | { readonly kind: 'Gone' }
  | { readonly kind: 'Found'; readonly vm: VirtualMachine }
  /** Before a step that was done since, which may have taken long: good to tell on, and no ground for the next step. */
  | { readonly kind: 'Used'; readonly vm: VirtualMachine };

/** Unknown: the hypervisor does not answer for this guest, so nothing may be concluded. */
export type Seen = Observation | { readonly kind: 'Unknown'; readonly why: string };

/** How CPU time is shared out for a guest, as far as anybody asked. */
export type SeenLimits =
  | { readonly kind: 'NotAsked' }
  | { readonly kind: 'Seen'; readonly limits: Limits }
  | { readonly kind: 'Unsupported'; readonly why: string }
  | { readonly kind: 'Unknown' };

export type Room =
  | { readonly fits: true }
  | { readonly fits: false; readonly reason: string }
  /** Too early to tell. */
  | { readonly fits: undefined; readonly reason: string };

/**
 * Held: the site is on hold. Doubt: so it is, and this daemon has served another control plane, or a later state of this
 * one.
 */
export type Hold = 'None' | 'Held' | 'Doubt';

export interface Self {
  readonly name: string;
  readonly uid: string;
  readonly bootID: string;
  /** Storage pools that other hypervisors have as well; undefined where guests cannot move from here. */
  readonly sharedPools?: readonly string[];
}

/** Of a guest that moves from here or to here. */
export interface MoveSeen {
  /** How far it is on its way from here; undefined where the hypervisor is not at it. */
  readonly progress: MigrationProgress | undefined;
  readonly own: OwnMove | undefined;
  /** Milliseconds for which it has looked as it does now. */
  readonly unchangedFor: number;
  /** Why it cannot come here, as far as that was asked. */
  readonly obstacle: string | undefined;
}

export interface Snapshot {
  readonly self: Self;
  /** From the watch of VMs placed here. */
  readonly cached: VirtualMachine | undefined;
  readonly live: Live;
  readonly domain: Seen;
  readonly addresses: readonly Address[];
  readonly limits: SeenLimits;
  /** What a foreign guest is that is to be adopted; undefined where it cannot be read, or nobody asked. */
  readonly inspection?: Inspection | undefined;
  /** Whether what was granted fits beside everything that runs here. */
  readonly room: Room;
  /** Whether this node's own Lease still holds: nothing new is started without it. */
  readonly leaseValid: boolean;
  /** Whether the guard of this machine stops the guest when the machine is cut off. */
  readonly guarded: boolean;
  readonly hold: Hold;
  readonly memory: DomainMemory;
  /** Only while a migration concerns this node. */
  readonly move?: MoveSeen;
  /** What the last call-back said of who ended the guest. */
  readonly initiator: EventInitiator;
  /** Monotonic milliseconds. */
  readonly now: number;
  /** Milliseconds since 1970, for times that others wrote down. */
  readonly wallTime: number;
}

/** The guest, where the hypervisor has shown it. */
export function presentDomain({ domain }: Snapshot): Domain | undefined {
  return domain.kind === 'Present' ? domain.domain : undefined;
}

/** The VM as a read of this pass gave it, else as the cache has it. */
export function machineIn({ live, cached }: Pick<Snapshot, 'live' | 'cached'>): VirtualMachine | undefined {
  return live.kind === 'Found' || live.kind === 'Used' ? live.vm : cached;
}
