// The port to a hypervisor, in our words: no type of libvirt or of any other product appears in a signature. Every
// driver passes the one suite in conformance/. A domain is what a hypervisor calls a guest and its definition.
import type { Limits } from '#crds/resources.ts';

/** What of the VM is kept with the domain itself, so that the node alone can tell what it runs and by which right. */
export interface DomainMetadata {
  /** uid of the VirtualMachine. */
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  /** The permission this domain was last defined or confirmed under. */
  readonly epoch: number;
  /** The generation whose spec this domain was built from. */
  readonly generation: number;
  /** What this domain was built from, byte for byte as it was signed: the whole granted definition as JSON. */
  readonly payload: string;
  readonly signature: string;
  /** What was granted last, where that differs: some of it waits for the next start. */
  readonly latest?: SignedGrant;
  /** How a domain is built that was adopted, in words: it is started as it is, until it is defined anew. */
  readonly asFound?: string;
}

/** A payload, byte for byte as the operator signed it. */
export interface SignedGrant {
  readonly payload: string;
  readonly signature: string;
}

export type BootSource =
  | { readonly kind: 'Kernel'; readonly image: string; readonly initrd?: string; readonly commandLine?: string }
  | { readonly kind: 'Disk'; readonly disk: string }
  | { readonly kind: 'Network'; readonly interface: string };

export interface DiskDefinition {
  readonly name: string;
  readonly pool: string;
  readonly volume: string;
  readonly format: 'raw' | 'qcow2';
  readonly readOnly: boolean;
}

export interface InterfaceDefinition {
  readonly name: string;
  readonly network: string;
  readonly macAddress: string;
}

/** Everything a driver needs to make a domain. File names are names within the driver's boot directory, never paths. */
export interface DomainDefinition {
  readonly uuid: string;
  /** Unique on the node: "<namespace>.<name>" for those we make. */
  readonly name: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly boot: BootSource;
  readonly disks: readonly DiskDefinition[];
  readonly interfaces: readonly InterfaceDefinition[];
  /** Left out: as the hypervisor shares its CPU time out by itself. Needs the feature CpuGuarantees. */
  readonly limits?: Limits;
  readonly metadata: DomainMetadata;
}

/**
 * Paused: it has its memory and its process, and stands still. Saving: its memory is being written to disk, and it
 * stands still meanwhile. ShuttingDown: the guest was asked and has not ended. Unknown: the hypervisor itself does not
 * know, or it hangs. One whose start is under way, whoever waits for it still, is Running or Unknown, never ShutOff.
 *
 * While a guest moves from one hypervisor to another it has a process on both, and runs on one at most. Incoming: it is
 * being received, and has not run here yet. Outgoing: it stands still at the end of its way from here, and may run there
 * by now. Before that it is Running here. Neither is ever told of a guest that somebody paused.
 */
export type DomainPowerState =
  | 'Running'
  | 'Paused'
  | 'Saving'
  | 'Incoming'
  | 'Outgoing'
  | 'ShuttingDown'
  | 'ShutOff'
  | 'Crashed'
  | 'Unknown';

/**
 * Why a domain that is ShutOff or Crashed is so, as far as the hypervisor remembers. Shutdown: the guest ended by
 * itself or obeyed a request; Destroyed: the plug was pulled; Failed: its process died. Unknown after a restart of the
 * hypervisor's management daemon.
 */
export type ShutOffReason =
  | 'NeverStarted'
  | 'Shutdown'
  | 'Destroyed'
  | 'Crashed'
  | 'Failed'
  | 'Migrated'
  | 'Saved'
  | 'Unknown';

export interface Domain {
  readonly uuid: string;
  readonly name: string;
  readonly powerState: DomainPowerState;
  /** Only with ShutOff and Crashed. */
  readonly shutOffReason?: ShutOffReason;
  /** Only with ShutOff: its memory is kept on disk, and the next start goes on from there. */
  readonly hasImage?: true;
  /** Absent on domains that are not ours, or whose metadata cannot be read. With an image: what the image bears. */
  readonly metadata?: DomainMetadata;
  /** It was ours, and was released. Only without metadata. */
  readonly released?: true;
  readonly cpus: number;
  readonly memoryBytes: number;
}

/** What a definition would say of a domain that somebody else made. */
export interface Inspection {
  readonly name: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Undefined where that cannot be said; an obstacle says why. */
  readonly boot?: BootSource;
  readonly disks: readonly DiskDefinition[];
  readonly interfaces: readonly InterfaceDefinition[];
  /** What else it is made of, in words. */
  readonly hardware: string;
  /** What of it no definition can say. With any of these the rest is not the whole of it. */
  readonly obstacles: readonly Obstacle[];
}

export interface Obstacle {
  readonly field: string;
  readonly message: string;
}

/** Whether it has a process that could be stopped, or may have one. */
export function isUp({ powerState }: Pick<Domain, 'powerState'>): boolean {
  return powerState !== 'ShutOff' && powerState !== 'Crashed';
}

export type Observation = { readonly kind: 'Absent' } | { readonly kind: 'Present'; readonly domain: Domain };

export interface NodeInfo {
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly freeMemoryBytes: number;
  readonly architecture: string;
}

export interface Capabilities {
  /** kvm, qemu, xen, lxc, test or simulated. */
  readonly type: string;
  readonly version: string;
  readonly features: ReadonlySet<Feature>;
  /** What people should know of it: that the type is not the one expected, or that it is set up in a way that hurts. */
  readonly remark?: string;
}

/** What a driver may lack. A verb that needs a missing feature rejects with Unsupported. */
export type Feature =
  | 'GracefulShutdown'
  | 'Reboot'
  | 'Pause'
  | 'StartPaused'
  | 'Hibernate'
  | 'CpuGuarantees'
  | 'Events'
  | 'CpuUsage'
  | 'MemoryUsage'
  | 'NetworkUsage'
  | 'DiskUsage'
  | 'Addresses'
  | 'SerialLog'
  | 'LiveMigration';

/**
 * Counters since the start of the domain or the node. They fall only when it was started anew. What a domain uses of
 * something whose usage is no feature of the driver stays at 0.
 */
export interface UsageCounters {
  readonly cpuNanoseconds: bigint;
  readonly memoryBytes: number;
  readonly networkReceiveBytes: bigint;
  readonly networkTransmitBytes: bigint;
  readonly diskReadBytes: bigint;
  readonly diskWriteBytes: bigint;
}

export interface UsageSample {
  readonly node: UsageCounters;
  /** Running domains by uuid, unmanaged ones too. One that hangs is left out, not waited for. */
  readonly domains: ReadonlyMap<string, UsageCounters>;
}

export interface ObservedAddress {
  readonly ip: string;
  readonly macAddress: string;
  readonly source: 'Lease' | 'ARP' | 'Agent';
}

export interface MigrationOptions {
  /** MiB a second at most; as fast as it goes where this is left out. */
  readonly bandwidthMiB?: number;
  /** After so many milliseconds it is given up. */
  readonly timeoutMs: number;
}

/** How far a guest is on its way from here, in bytes of its memory. Total may grow while it works. */
export interface MigrationProgress {
  readonly processedBytes: number;
  readonly remainingBytes: number;
  readonly totalBytes: number;
  /** How often its memory was gone through: what it changed meanwhile is sent again. */
  readonly iteration: number;
}

/** Changed: look at this domain again. Reconnected: anything may have happened meanwhile, look at all of them. */
export type DriverEvent =
  | { readonly kind: 'Changed'; readonly uuid: string; readonly detail: string; readonly initiator: EventInitiator }
  | { readonly kind: 'Disconnected'; readonly detail: string }
  | { readonly kind: 'Reconnected' };

/** Who ended a guest, where the call-back says so. */
export type EventInitiator = 'Guest' | 'Host' | 'Unknown';

export interface StartOptions {
  /** It is there, and stands still until it is resumed. Needs the feature StartPaused. */
  readonly paused?: boolean;
  /** From its image, or not at all: with Failed where there is none. */
  readonly restore?: boolean;
}

/**
 * Promises, all of them tested by the conformance suite:
 * - Every verb rejects with a `DriverError` and with nothing else, within its deadline, whatever the hypervisor does.
 * - Every verb is idempotent and keyed by uuid; doing it twice is doing it once. The one exception is `reboot`.
 * - `list` is complete or rejects: absence from it means absence.
 * - No verb blocks the event loop. Verbs for different domains run side by side.
 * - No verb destroys or undefines anything but the domain named, and none that is foreign unless told to.
 */
export interface HypervisorDriver {
  readonly name: 'libvirt' | 'simulated';

  capabilities(): Promise<Capabilities>;

  node(): Promise<NodeInfo>;

  /** All domains, running or not, managed or not. */
  list(): Promise<readonly Domain[]>;

  observe(uuid: string): Promise<Observation>;

  /** What a definition would say of a domain, whoever made it. Changes nothing. Rejects with NotFound. */
  inspect(uuid: string): Promise<Inspection>;

  /**
   * Makes the domain known, not started; replaces the definition of one that is shut off. Rejects with Busy where it
   * runs or has an image, which belongs to the definition it was saved with; with Conflict where its name belongs to
   * another uuid, with Invalid where the definition cannot be made here.
   */
  define(definition: DomainDefinition): Promise<void>;

  /** Writes the metadata of a domain, running or not. Rejects with NotFound, or with Busy where it has an image. */
  setMetadata(uuid: string, metadata: DomainMetadata): Promise<void>;

  /**
   * Takes what `setMetadata` wrote off a domain, running or not: from then on it is as foreign as one that we never made,
   * but that it is `released`. Quiet where it bears nothing of ours, or is absent. Rejects with Busy where it has an image, which bears it, too.
   */
  release(uuid: string): Promise<void>;

  /**
   * From its image where it has one, which is used up by that, else anew. Quiet when it runs or is paused. Rejects with
   * NotFound, or with Failed where the hypervisor could not start it: then an image is still there.
   */
  start(uuid: string, how?: StartOptions): Promise<void>;

  /**
   * Lets the guest stand still, with all its memory. Quiet when it does. Rejects with NotFound, or with Busy where it is
   * off, Incoming or Outgoing.
   */
  pause(uuid: string): Promise<void>;

  /** Lets it go on. Quiet when it runs. Rejects with NotFound, or with Busy where it is off, Incoming or Outgoing. */
  resume(uuid: string): Promise<void>;

  /**
   * Writes the memory of a guest, running or paused, to disk, where it outlives this driver, the hypervisor's management
   * and the machine's boot, and ends its process. Quiet when that was done. Rejects with NotFound, with Busy where it is
   * off without an image, Incoming or Outgoing, with Failed where it could not be written: then the guest is as it was.
   */
  hibernate(uuid: string): Promise<void>;

  /** Forgets the memory that was kept. Quiet when there is none, or no such domain. Guests that run are not touched. */
  discardImage(uuid: string): Promise<void>;

  /**
   * How CPU time is shared out for this guest now, or, where it is off, at its next start: as the hypervisor itself says.
   * It may count shares in steps of its own (`areKept`). Rejects with NotFound, or with Unsupported.
   */
  limits(uuid: string): Promise<Limits>;

  /**
   * Shares CPU time out so from now on: of a guest that runs, at once, and after its next start. Rejects with NotFound, or
   * with Unsupported.
   */
  setLimits(uuid: string, limits: Limits): Promise<void>;

  /** Asks the guest to shut down and returns at once; the guest may ignore it. Quiet when it is off. Rejects with NotFound. */
  shutdown(uuid: string): Promise<void>;

  /**
   * Asks the guest to shut down and come up again, and returns at once; the guest may ignore it. It keeps its process.
   * Asked twice, it may reboot twice. Needs the feature Reboot. Rejects with NotFound, or with Busy where it does not run.
   */
  reboot(uuid: string): Promise<void>;

  /** Pulls the plug. Quiet when it is off or absent. */
  destroy(uuid: string): Promise<void>;

  /** Forgets a domain that is off, and its image. Quiet when it is absent. Rejects with Busy where it runs. */
  undefine(uuid: string): Promise<void>;

  /**
   * Whether a guest like this could come here from elsewhere, as far as can be told before: what it boots from, its disks
   * and networks are there, and its name is free. Changes nothing. Rejects with Invalid, naming the field, or with
   * Conflict.
   */
  checkIncoming(definition: DomainDefinition): Promise<void>;

  /**
   * Moves a running guest, with its definition and metadata, to the hypervisor that takes guests in under this address.
   * Resolves when it runs there; here it is ShutOff then, for the reason Migrated. Rejects with Failed where it could not
   * be moved, was aborted or took too long: it runs on here. Rejects with NotFound, with Busy where it does not run or
   * moves already, with Invalid where no driver of this kind could reach that address. After any other rejection nobody
   * knows; the hypervisors go on with it, whoever asked, and `observe` on both shows what came of it.
   */
  migrate(uuid: string, address: string, options: MigrationOptions): Promise<void>;

  /** How far it is; undefined where it is not on its way from here. */
  migrationProgress(uuid: string): Promise<MigrationProgress | undefined>;

  /** Gives up a migration from here, where it is not too late. Quiet where there is none. */
  abortMigration(uuid: string): Promise<void>;

  /**
   * Lets an Outgoing guest run on here. Two would run where it runs there as well: only for who knows that it does not,
   * and never will. Quiet where it runs. Rejects with NotFound, and with Busy in every other state.
   */
  takeBack(uuid: string): Promise<void>;

  usage(): Promise<UsageSample>;

  /**
   * Those that the guest has obtained since it was started last: what DHCP servers and ARP tables still know of an
   * earlier run is left out. What cannot be dated is told two minutes after the start; where the start was not seen by
   * this driver, all that is known is told. Empty where nothing is known yet. Rejects with NotFound.
   */
  addresses(uuid: string): Promise<readonly ObservedAddress[]>;

  /**
   * Events from now on, until the signal aborts. Survives restarts of the hypervisor, announcing them. A hint only:
   * events may be missed, the periodic scan may not.
   */
  watch(signal: AbortSignal): AsyncIterable<DriverEvent>;

  /** Lets go of connections. Guests are not touched. */
  close(): Promise<void>;
}
