// Everything a decision on one VM may look at, gathered beforehand and frozen.
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { ForeignGuest } from '#operator/adoption/adopters.ts';
import type { MigrationSettings } from '#operator/migration/settings.ts';
import type { Candidate, Reachability } from '#operator/placement/candidate.ts';
import type { Claim } from '#operator/rebuild/claims.ts';
import type { Hold } from '#operator/site/hold.ts';
import type { Silence } from '#operator/takeover/wants-takeover.ts';

/** The hypervisor that holds the VM's epoch, as far as the operator can tell. */
export type Home =
  | { readonly kind: 'None' }
  | { readonly kind: 'Gone'; readonly hypervisor: string }
  | {
      readonly kind: 'Known';
      readonly hypervisor: string;
      readonly reachable: Reachability;
      /** Where its daemon is silent: for how long, and what is known of its guests. */
      readonly silence?: Silence | undefined;
      readonly candidate?: Candidate;
    };

/** What guests move just now, and how they may. */
export interface Migrations {
  readonly settings: MigrationSettings;
  /** From this hypervisor or to it. */
  readonly at: (hypervisor: string) => number;
  readonly inAll: number;
}

export interface Snapshot {
  readonly vm: VirtualMachine;
  readonly home: Home;
  /** What this VM itself holds is not counted in what is assigned to them. */
  readonly candidates: readonly Candidate[];
  /** Hypervisors that are passed over because they refused it. */
  readonly refusedBy: readonly string[];
  /** What a hypervisor reports of its guest, or of one of its name, where no VM here holds it. */
  readonly claim: Claim | undefined;
  /** The foreign guest that it is to adopt. */
  readonly foreign: ForeignGuest | undefined;
  readonly hold: Pick<Hold, 'phase'> | undefined;
  /** Milliseconds since it was last told why there is no room for it; undefined where it does not wait for room. */
  readonly toldAgo: number | undefined;
  readonly migrations: Migrations;
  /** Milliseconds since 1970, for times that people write down. */
  readonly wallTime: number;
  /** Monotonic milliseconds. */
  readonly now: number;
}
