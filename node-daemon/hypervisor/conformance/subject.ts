// What a driver's test tells the suite about the driver and about the hypervisor behind it.
import type { BootSource, DomainDefinition, Feature, HypervisorDriver, MigrationOptions } from '../driver.ts';

/** Something the suite asks for, or the reason why it cannot be had here: the reason becomes the title of a test. */
export type Possible<T> = T | { readonly cannot: string };

export function isPossible<T>(thing: Possible<T>): thing is T {
  return !(typeof thing === 'object' && thing !== null && 'cannot' in thing);
}

/** Undoes what was done to the hypervisor. */
export type Restore = () => Promise<void>;

/** What happens to a hypervisor without its driver having a hand in it. */
export interface DriverControl {
  /** Pulls the plug of a running guest, as an administrator does who does not know of us. */
  readonly destroyBehindOurBack: Possible<(uuid: string) => Promise<void>>;
  /** Removes the definition of a domain that is off. */
  readonly undefineBehindOurBack: Possible<(uuid: string) => Promise<void>>;
  /** Removes the memory that is kept of a guest. */
  readonly discardBehindOurBack: Possible<(uuid: string) => Promise<void>>;
  /** Makes the guest, or the process that runs it, die. */
  readonly crash: Possible<(uuid: string) => Promise<void>>;
  /** Makes the guest power itself off. */
  readonly powerOffFromInside: Possible<(uuid: string) => Promise<void>>;
  /** Makes and starts a domain that carries no metadata of ours. */
  readonly createForeign: Possible<(uuid: string, name: string) => Promise<void>>;
  /** Takes away what `createForeign` made; quiet when it is gone. */
  readonly removeForeign: Possible<(uuid: string) => Promise<void>>;
  /** Restarts the hypervisor's management, not its guests. Resolves when it answers again. */
  readonly restart: Possible<() => Promise<void>>;
  /** Cuts the driver off from the hypervisor until restored; guests run on. */
  readonly makeUnreachable: Possible<() => Promise<Restore>>;
  /** Makes the hypervisor accept calls and answer none until restored. */
  readonly hang: Possible<() => Promise<Restore>>;
}

export interface GuestTemplate {
  /** Something that can be started here. */
  readonly boot: BootSource;
  /** Something that cannot be made here, for example an image that does not exist. */
  readonly missingBoot: Possible<BootSource>;
  /** What makes a definition one that can be made, but whose start is refused with NoRoom. */
  readonly tooLarge: Possible<Partial<DomainDefinition>>;
  /** What makes a definition one that can be made, but whose start is refused with Failed. */
  readonly unstartable: Possible<Partial<DomainDefinition>>;
  readonly memoryBytes: number;
  /** A network to attach one interface to; without it guests have none. */
  readonly network?: string;
  /** Whether a running guest with an interface can be expected to show an address within the settling time. */
  readonly obtainsAddress: boolean;
  /** What makes a guest that has no address right after its start, and obtains one within the settling time. */
  readonly slowToObtainAddress: Possible<Partial<DomainDefinition>>;
  /** Resolves once a guest that was just started would obey a request to shut down. */
  ready?(uuid: string): Promise<void>;
}

/** A second hypervisor, to which guests can move from the one under test, and back. */
export interface OtherSide {
  make(): Promise<HypervisorDriver>;
  /** Where it takes guests in. */
  readonly address: string;
  /** Where the hypervisor under test takes guests in. */
  readonly back: string;
  /** A well-formed address where nobody answers. */
  readonly nobody: string;
  /** Makes a migration last for ten seconds and more. */
  readonly slowly: MigrationOptions;
  /** Whether it knows which networks and storage pools there are. */
  readonly knowsNetworks: boolean;
  /**
   * Given a guest on its way from here: makes the managements of both sides die when it stands still here and does not
   * run there yet. Resolves when both answer again.
   */
  readonly strand: Possible<(uuid: string) => Promise<void>>;
}

export interface DriverUnderTest {
  readonly name: string;
  /**
   * Makes a driver for the hypervisor under test, as each start of a daemon does. The suite closes every one of them.
   * Domains must outlive the driver: a hypervisor that forgets with its last connection needs one held by the test.
   */
  make(): Promise<HypervisorDriver>;
  /** Exactly what `capabilities` must declare; whatever is missing here must be refused. */
  readonly features: ReadonlySet<Feature>;
  readonly guest: GuestTemplate;
  readonly control: DriverControl;
  /** Needed with the feature LiveMigration. */
  readonly otherSide: Possible<OtherSide>;
  readonly timeouts: {
    /** Within this every verb answers, whatever the hypervisor does. */
    readonly verbMilliseconds: number;
    /** Within this a guest that was asked has shut down, events have come and counters have moved. */
    readonly settleMilliseconds: number;
  };
  /** How much of the random comparison with the simulated driver is affordable. */
  readonly commands: { readonly runs: number; readonly maxLength: number };
  /** Lets time pass; real time where this is not given. */
  pause?(milliseconds: number): Promise<void>;
}
