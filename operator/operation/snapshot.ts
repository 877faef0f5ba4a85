// Everything a decision on one operation may look at, gathered beforehand and frozen.
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { VirtualMachineOperation } from '#crds/v1alpha1/virtual-machine-operation.ts';
import type { Candidate } from '#operator/placement/candidate.ts';
import type { Hold } from '#operator/site/hold.ts';
import type { Guests } from './guests.ts';
import type { Progress } from './progress.ts';
import type { Rights } from './rights.ts';

export interface Snapshot {
  readonly operation: VirtualMachineOperation;
  /** Undefined until its targets have been found. */
  readonly progress: Progress | undefined;
  /** All VMs of its namespace, by name. */
  readonly machines: ReadonlyMap<string, VirtualMachine>;
  /** What can be adopted; of operations of that type only. */
  readonly guests: Guests;
  readonly candidates: readonly Candidate[];
  /** The hold of the site. */
  readonly hold: Pick<Hold, 'phase'> | undefined;
  /** Targets that may be begun now, as many as its parallelism leaves room for. */
  readonly next: readonly string[];
  /** Target → the operation that it waits for. */
  readonly busy: ReadonlyMap<string, string>;
  /** For `next`, or for all targets where they have not been found yet. */
  readonly rights: Rights;
  /** Milliseconds since 1970. */
  readonly now: number;
}
