// How guests move, unless something more is said of one.

export interface MigrationSettings {
  /** That the move itself may take. */
  readonly timeoutSeconds: number;
  /** MiB a second, for each; as fast as it goes where this is left out. */
  readonly bandwidthMiB?: number;
  /** At the same time, in the whole site. */
  readonly atOnce: number;
  /** At the same time, from one hypervisor or to it. */
  readonly perHypervisor: number;
}

export const DEFAULT_MIGRATION: MigrationSettings = { timeoutSeconds: 600, atOnce: 5, perHypervisor: 2 };
