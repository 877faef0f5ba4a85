// What a libvirt driver is made from.
import type { Clock, Random } from '#runtime/clock/clock.ts';

/** In milliseconds. Each is the most that one call may take; a verb makes a few calls at most, one after the other. */
export interface CallTimeouts {
  /** The socket, and each step of the handshake. */
  readonly connect: number;
  /** Reading, and asking a guest to shut down. */
  readonly query: number;
  /** Counting: usage asks up to four times, each time passing by one more guest that hangs. */
  readonly measure: number;
  /** Asking the agent in a guest, which may have hung itself. */
  readonly agent: number;
  /** Defining, undefining, writing metadata: files are written, and a guest may be busy with something else. */
  readonly change: number;
  /** Starting: disks and networks are prepared before QEMU answers, and memory that was kept is read. */
  readonly start: number;
  /** Writing a guest's memory to disk; libvirt goes on with what takes longer. */
  readonly save: number;
  /** Pulling the plug: libvirt gives a process ten seconds before it kills it, and may wait for the kernel then. */
  readonly destroy: number;
  /** Beyond the time that a migration may take itself: giving it up, and cleaning up on both sides. */
  readonly migrationEnd: number;
}

export const DEFAULT_TIMEOUTS: CallTimeouts = {
  connect: 5_000,
  query: 10_000,
  measure: 3_000,
  agent: 3_000,
  change: 15_000,
  start: 60_000,
  save: 60_000,
  destroy: 40_000,
  migrationEnd: 60_000,
};

/** Where the kernel's counters of the machine are read: libvirt has none of its networks and disks. */
export interface NodeCounterFiles {
  /** A directory like /proc/1/net, which must be that of the machine's own network namespace. */
  readonly networkDirectory: string;
  /** A file like /proc/diskstats. */
  readonly diskStatistics: string;
}

export interface LibvirtDriverOptions {
  /** The read-write socket, for example /run/libvirt/libvirt-sock. Whoever may write to it is root on the machine. */
  readonly socketPath: string;
  /** For example qemu:///system. */
  readonly uri: string;
  /** The directory of kernels and initial RAM disks, under the same path for this process and for libvirt. */
  readonly bootDirectory: string;
  /** An existing directory on libvirt's side; each guest's serial console is appended to `<domain name>.log` there. */
  readonly consoleLogDirectory?: string;
  /** Left out, a short probe finds out whether KVM works on this machine. Only for qemu:/// URIs. */
  readonly domainType?: 'kvm' | 'qemu';
  /**
   * Where the libvirt of other machines reaches this one, for example qemu+tls://kvm1.example.org/system. Guests are sent
   * only where they are received in the same way. Left out, none is sent or received.
   */
  readonly migrationAddress?: string;
  /** Left out, the node's network and disk counters stay 0. */
  readonly nodeCounters?: NodeCounterFiles;
  readonly timeouts?: Partial<CallTimeouts>;
  readonly clock: Clock;
  readonly random: Random;
}
