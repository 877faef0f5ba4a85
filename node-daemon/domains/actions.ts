// The vocabulary of plans: what can be done to a guest and told of it.
import type { Amount } from '#crds/amount.ts';
import type { Limits } from '#crds/resources.ts';
import type { MigrationPlan, MigrationSource, MigrationTarget } from '#crds/v1alpha1/migration-status.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { Granted, InstanceState, PlacementStatus } from '#crds/v1alpha1/virtual-machine-status.ts';
import type { DomainMetadata } from '../hypervisor/driver.ts';
import type { Snapshot } from './snapshot.ts';
import type { Termination } from './termination.ts';

/** One thing done to the hypervisor. After it the guest is looked at again before anything is told. */
export type Step =
  | {
      readonly kind: 'Start';
      readonly reason: string;
      /**
       * What the domain bears until it has been started. The hypervisor remembers how it ended under that one, and
       * whoever looks before the start must not take that for an end under this one.
       */
      readonly formerEpoch?: number;
      /** It is to stand still from the first moment on. */
      readonly paused?: true;
      /** It is started as it was found, and not defined anew: how that is, in words. */
      readonly asFound?: string;
      /** The name that its domain has already, where that is not the one that it would get. */
      readonly name?: string;
    }
  /** From its image; the room that it takes is that of the guest whose memory was kept. */
  | { readonly kind: 'Restore'; readonly reason: string; readonly amount: Amount; readonly paused?: true }
  /** Writes its memory to disk, and ends its process. */
  | { readonly kind: 'Hibernate'; readonly reason: string }
  /** Forgets the memory that was kept; `warning` where nobody asked for that. */
  | { readonly kind: 'DiscardImage'; readonly reason: string; readonly warning?: string }
  | { readonly kind: 'Pause'; readonly reason: string }
  | { readonly kind: 'Resume'; readonly reason: string }
  | { readonly kind: 'AskShutdown'; readonly reason: string }
  | { readonly kind: 'PullPlug'; readonly reason: string }
  | { readonly kind: 'Undefine'; readonly reason: string }
  /** Shares CPU time out anew for a guest that runs. */
  | { readonly kind: 'SetLimits'; readonly limits: Limits; readonly reason: string }
  /** Takes our marks off a guest, which goes on as it is, and is not ours any more. */
  | { readonly kind: 'Release'; readonly reason: string }
  /** Once: it was told as Executing beforehand. */
  | { readonly kind: 'Reboot'; readonly uid: string; readonly reason: string }
  /** The first half of it, once: the guest is then off, and is started again as any that should run. */
  | { readonly kind: 'Cycle'; readonly uid: string; readonly reason: string }
  /** Writes whose it is, the current epoch and what was granted last into the domain of a guest that is there already. */
  | { readonly kind: 'Confirm'; readonly metadata: DomainMetadata; readonly reason: string }
  /** Notes with a foreign guest whose it is from now on: nothing else is done to it. */
  | { readonly kind: 'Adopt'; readonly metadata: DomainMetadata; readonly reason: string }
  /** Begins to move the guest to another hypervisor; what comes of it is seen later. */
  | { readonly kind: 'Migrate'; readonly plan: MigrationPlan; readonly reason: string }
  | { readonly kind: 'AbortMigration'; readonly reason: string }
  /** Lets a guest run on that stands still at the end of its way from here. */
  | { readonly kind: 'TakeBack'; readonly reason: string };

export type StartStep = Extract<Step, { kind: 'Start' }>;

/** What is told of the guest. */
export interface Report {
  readonly powerState: InstanceState;
  readonly termination?: Termination;
  /** A sentence: why it runs, where that does not follow from what was told before. */
  readonly cause?: string;
  /** Why it is not defined and started, where it should be. */
  readonly fault?: { readonly code: string; readonly reason: string };
}

/** Code of a fault: another guest there has the name that this one would get. */
export const NAME_TAKEN = 'NameTaken';

/** Whether it tells of an end that does not end the permission: the guest is or may be started again here. */
export function isEndMidway({ termination, powerState }: Report): boolean {
  return termination !== undefined && powerState !== 'Stopped' && powerState !== 'Absent';
}

export type Plan =
  /** Read the object itself, then plan again: a cache is no ground for doing anything to a guest. */
  | { readonly kind: 'Verify'; readonly reason: string }
  | { readonly kind: 'Act'; readonly step: Step }
  | { readonly kind: 'Report'; readonly report: Report; readonly again?: number }
  | { readonly kind: 'Nothing'; readonly reason: string; readonly again?: number }
  /** What this side of a migration says of it. */
  | {
      readonly kind: 'TellMove';
      readonly side: 'source';
      readonly told: Omit<MigrationSource, 'time'>;
      readonly again?: number;
    }
  | {
      readonly kind: 'TellMove';
      readonly side: 'target';
      readonly told: Omit<MigrationTarget, 'time'>;
      readonly again?: number;
    }
  /** A guest that bears our marks and that no VirtualMachine declares: told in the inventory, never touched. */
  | { readonly kind: 'Orphaned'; readonly reason: string };

/** A snapshot whose VM was found to be placed here and decided. */
export interface Mine {
  readonly snapshot: Snapshot;
  readonly vm: VirtualMachine;
  readonly granted: Granted;
  readonly placement: PlacementStatus;
}

/** A step needs the object as it is now, not as a cache has it. */
export function act(snapshot: Snapshot, step: Step): Plan {
  return snapshot.live.kind === 'Found' ? { kind: 'Act', step } : { kind: 'Verify', reason: step.reason };
}
