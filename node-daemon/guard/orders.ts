// What the daemon and the guard of a machine tell each other. They are processes apart, so that the guard lives when the
// daemon does not, and it is files that outlive a restart of either of them.

/** From the daemon: written anew with every renewal of the Lease, and whenever the list of guests changes. */
export interface Orders {
  /** Counts up with every change. */
  readonly seq: number;
  /** The boot of the machine they were given in: in another one none of these guests runs. */
  readonly bootID: string;
  /** Milliseconds since the boot, from before the last renewal of the Lease was sent that is known to have succeeded. */
  readonly renewedAt: number;
  /** So long after `renewedAt` the guests are to be stopped. */
  readonly deadlineSeconds: number;
  readonly guests: readonly GuardedGuest[];
}

export interface GuardedGuest {
  readonly uuid: string;
  /** For the log. */
  readonly name: string;
}

/** From the guard: it is alive, and has taken up these orders. */
export interface Acknowledgement {
  readonly seq: number;
  readonly bootID: string;
  /** Milliseconds since the boot. */
  readonly at: number;
}

/** Where they lie. What cannot be read is undefined. Writes replace the whole at once. */
export interface GuardFiles {
  orders(): Promise<Orders | undefined>;
  give(orders: Orders): Promise<void>;
  acknowledgement(): Promise<Acknowledgement | undefined>;
  acknowledge(acknowledgement: Acknowledgement): Promise<void>;
}

/** Milliseconds since the machine booted, suspension included: CLOCK_BOOTTIME. */
export type BootTime = () => number;
