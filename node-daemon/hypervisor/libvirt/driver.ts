// The port to a hypervisor, implemented on libvirt.
import type { Limits } from '#crds/resources.ts';
import type {
  Capabilities,
  Domain,
  DomainDefinition,
  DomainMetadata,
  DriverEvent,
  Feature,
  HypervisorDriver,
  Inspection,
  MigrationOptions,
  MigrationProgress,
  NodeInfo,
  Observation,
  ObservedAddress,
  StartOptions,
  UsageSample,
} from '../driver.ts';
import { DriverError } from '../errors.ts';
import { parseTarget } from '../migration-address.ts';
import { buildContext, defaultShares } from './build-context.ts';
import { buildDomainXml } from './domain-xml/build.ts';
import { checkDefinition } from './domain-xml/check-definition.ts';
import { addressesOf, startKeepingAddresses } from './domains/addresses.ts';
import { defineDomain, removeMetadata, undefineDomain, writeMetadata } from './domains/definition.ts';
import { unmarkDeparture } from './domains/departure-mark.ts';
import { EarlierAddresses } from './domains/earlier-addresses.ts';
import { discardImage, hibernateDomain, type Image, imageOf, refuseWithoutImage } from './domains/image.ts';
import { checkIncomingDomain } from './domains/incoming.ts';
import { inspectDomain } from './domains/inspect.ts';
import { type Knowledge, listAll, observe } from './domains/inventory.ts';
import { readLimits, writeLimits } from './domains/limits.ts';
import { abortMigration, migrateDomain, progressOf, refuseMoving, takeBack } from './domains/migration.ts';
import {
  destroyDomain,
  pauseDomain,
  rebootDomain,
  resumeDomain,
  shutDownDomain,
  startDomain,
} from './domains/power.ts';
import { OpenStarts } from './domains/starts.ts';
import { EventHub, EventTranslator } from './events.ts';
import { KeyedLock } from './keyed-lock.ts';
import { Lanes } from './lanes.ts';
import { Hypervisor } from './node/hypervisor.ts';
import { featuresOf } from './node/hypervisor-kind.ts';
import { nodeMemory } from './node/memory.ts';
import { sampleUsage } from './node/usage.ts';
import { subscribe } from './rpc/event-calls.ts';
import { getNodeHardware } from './rpc/node-calls.ts';
import type { LibvirtDriverOptions } from './settings.ts';

/**
 * A driver for one libvirt. Does nothing until a verb is called or someone watches; connects then, and again with
 * back-off whenever the connection is lost. Meanwhile verbs reject at once with Unreachable.
 */
export function createLibvirtDriver(options: LibvirtDriverOptions): HypervisorDriver {
  return new LibvirtDriver(options);
}

class LibvirtDriver implements HypervisorDriver {
  readonly name = 'libvirt';
  readonly #options: LibvirtDriverOptions;
  readonly #events = new EventHub();
  readonly #lanes: Lanes;
  readonly #hypervisor: Hypervisor;
  /** Starting, defining and undefining the same domain would make nonsense of each other's look before the leap. */
  readonly #changes = new KeyedLock();
  readonly #starts: OpenStarts;
  readonly #earlier: EarlierAddresses;
  readonly #knowledge: Knowledge;

  constructor(options: LibvirtDriverOptions) {
    const { clock, domainType, consoleLogDirectory, migrationAddress } = options;
    const events = this.#events;
    this.#options = options;
    this.#starts = new OpenStarts(clock);
    this.#knowledge = { doubt: (uuid) => this.#starts.isOpen(uuid), own: migrationAddress };
    this.#earlier = new EarlierAddresses(clock);
    this.#lanes = new Lanes(options, {
      prepare: (connection) => {
        const translator = new EventTranslator();
        const timeoutMs = this.#lanes.timeouts.connect;
        return subscribe(connection, (event) => events.publish(translator.translate(event)), timeoutMs);
      },
      onConnected: (again) => this.#connected(again),
      onDisconnected: (reason) => events.publish({ kind: 'Disconnected', detail: reason.message }),
    });
    this.#hypervisor = new Hypervisor({
      ask: this.#lanes.query,
      startGuest: this.#lanes.action('', 'start'),
      domainType,
      provisions: { logsConsoles: consoleLogDirectory !== undefined, migrates: migrationAddress !== undefined },
      clock,
    });
  }

  capabilities(): Promise<Capabilities> {
    return guarded(() => this.#hypervisor.capabilities());
  }

  node(): Promise<NodeInfo> {
    return guarded(async () => {
      const ask = this.#lanes.query;
      const [{ cpus, architecture }, memory] = await Promise.all([getNodeHardware(ask), nodeMemory(ask)]);
      return { cpus, architecture, memoryBytes: memory.totalBytes, freeMemoryBytes: memory.freeBytes };
    });
  }

  list(): Promise<readonly Domain[]> {
    return guarded(() => listAll(this.#lanes.query, this.#knowledge));
  }

  observe(uuid: string): Promise<Observation> {
    return guarded(() => observe(this.#lanes.query, uuid, this.#knowledge));
  }

  inspect(uuid: string): Promise<Inspection> {
    return guarded(() => inspectDomain(this.#lanes.query, uuid, this.#options.bootDirectory));
  }

  define(definition: DomainDefinition): Promise<void> {
    return guarded(async () => {
      checkDefinition(definition);
      const sources = { options: this.#options, hypervisor: this.#hypervisor, ask: this.#lanes.query };
      const xml = buildDomainXml(definition, await buildContext(definition, sources));
      const ask = this.#lanes.action(definition.uuid, 'change');
      await this.#changes.run(definition.uuid, () => defineDomain(ask, definition, xml));
    });
  }

  setMetadata(uuid: string, metadata: DomainMetadata): Promise<void> {
    return guarded(() => writeMetadata(this.#lanes.action(uuid, 'change'), uuid, metadata));
  }

  release(uuid: string): Promise<void> {
    return guarded(() => removeMetadata(this.#lanes.action(uuid, 'change'), uuid));
  }

  start(uuid: string, how: StartOptions = {}): Promise<void> {
    const begin = async () => {
      if (how.paused === true) await this.#demand('StartPaused', 'start guests that stand still');
      await this.#startFrom(await imageOf(this.#lanes.query, uuid), uuid, how);
    };
    return guarded(() => this.#starts.track(uuid, () => this.#changes.run(uuid, begin)));
  }

  pause(uuid: string): Promise<void> {
    return guarded(async () => {
      await this.#demand('Pause', 'pause guests');
      await refuseMoving(this.#lanes.query, uuid, this.#knowledge.own);
      await pauseDomain(this.#lanes.action(uuid, 'change'), uuid);
    });
  }

  resume(uuid: string): Promise<void> {
    return guarded(async () => {
      await this.#demand('Pause', 'pause guests');
      await refuseMoving(this.#lanes.query, uuid, this.#knowledge.own);
      await resumeDomain(this.#lanes.action(uuid, 'change'), uuid);
    });
  }

  hibernate(uuid: string): Promise<void> {
    return guarded(async () => {
      await this.#demand('Hibernate', 'keep the memory of guests');
      await refuseMoving(this.#lanes.query, uuid, this.#knowledge.own);
      const save = this.#lanes.action(uuid, 'save');
      await unmarkDeparture(this.#lanes.action(uuid, 'change'), uuid);
      await this.#changes.run(uuid, () => hibernateDomain(save, this.#lanes.query, uuid));
    });
  }

  discardImage(uuid: string): Promise<void> {
    return guarded(async () => {
      await this.#demand('Hibernate', 'keep the memory of guests');
      await this.#changes.run(uuid, () => discardImage(this.#lanes.action(uuid, 'change'), uuid));
    });
  }

  limits(uuid: string): Promise<Limits> {
    return guarded(async () => readLimits(this.#lanes.query, uuid, await this.#defaultShares()));
  }

  setLimits(uuid: string, limits: Limits): Promise<void> {
    return guarded(async () => {
      await writeLimits(this.#lanes.action(uuid, 'change'), uuid, limits, await this.#defaultShares());
    });
  }

  shutdown(uuid: string): Promise<void> {
    return guarded(() => shutDownDomain(this.#lanes.action(uuid, 'query'), uuid));
  }

  reboot(uuid: string): Promise<void> {
    return guarded(async () => {
      await this.#demand('Reboot', 'have guests reboot');
      await rebootDomain(this.#lanes.action(uuid, 'change'), uuid);
    });
  }

  /** Waits for nobody: it is also how a start that hangs is ended. */
  destroy(uuid: string): Promise<void> {
    return guarded(() => destroyDomain(this.#lanes.action(uuid, 'destroy'), uuid));
  }

  undefine(uuid: string): Promise<void> {
    return guarded(async () => {
      await this.#changes.run(uuid, () => undefineDomain(this.#lanes.action(uuid, 'change'), uuid));
      this.#earlier.forget(uuid);
    });
  }

  checkIncoming(definition: DomainDefinition): Promise<void> {
    return guarded(async () => {
      checkDefinition(definition);
      await this.#demandMigration();
      const ask = this.#lanes.query;
      await buildContext(definition, { options: this.#options, hypervisor: this.#hypervisor, ask });
      await checkIncomingDomain(ask, definition);
    });
  }

  migrate(uuid: string, address: string, options: MigrationOptions): Promise<void> {
    return guarded(async () => {
      const own = await this.#demandMigration();
      const target = parseTarget(address, own);
      const move = this.#lanes.move(options.timeoutMs);
      const change = this.#lanes.action(uuid, 'change');
      const carriers = { move, change, ask: this.#lanes.query, own, clock: this.#options.clock };
      await migrateDomain(carriers, uuid, { address, target, options });
    });
  }

  migrationProgress(uuid: string): Promise<MigrationProgress | undefined> {
    return guarded(async () => progressOf(this.#lanes.query, uuid));
  }

  abortMigration(uuid: string): Promise<void> {
    return guarded(async () => abortMigration(this.#lanes.query, uuid));
  }

  takeBack(uuid: string): Promise<void> {
    return guarded(async () => takeBack(this.#lanes.action(uuid, 'change'), uuid, this.#knowledge.own));
  }

  usage(): Promise<UsageSample> {
    return guarded(async () => {
      const countsDomains = await this.#has('CpuUsage');
      const { query, measure } = this.#lanes;
      return sampleUsage(query, measure, { countsDomains, nodeCounters: this.#options.nodeCounters });
    });
  }

  addresses(uuid: string): Promise<readonly ObservedAddress[]> {
    return guarded(async () => {
      await this.#demand('Addresses', 'tell the addresses of guests');
      const patient = this.#lanes.action(uuid, 'agent');
      return addressesOf({ ask: this.#lanes.query, patient, earlier: this.#earlier }, uuid);
    });
  }

  watch(signal: AbortSignal): AsyncIterable<DriverEvent> {
    this.#lanes.listen();
    return this.#events.watch(signal);
  }

  async close(): Promise<void> {
    this.#events.close();
    this.#lanes.close();
  }

  async #has(feature: Feature): Promise<boolean> {
    return (await this.#features()).has(feature);
  }

  async #defaultShares(): Promise<number> {
    return defaultShares(this.#hypervisor);
  }

  async #demand(feature: Feature, what: string): Promise<void> {
    if (!(await this.#has(feature))) {
      throw new DriverError('Unsupported', `libvirt cannot ${what} of this hypervisor`);
    }
  }

  /** What was known of the addresses of a guest that goes on from its image is still so. */
  async #startFrom(image: Image | undefined, uuid: string, how: StartOptions): Promise<void> {
    const start = () => startDomain(this.#lanes.action(uuid, 'start'), uuid, how);
    if (image !== undefined) {
      this.#earlier.forget(uuid);
      return start();
    }
    const ask = this.#lanes.query;
    if (how.restore === true) await refuseWithoutImage(ask, uuid);
    const hasAddresses = await this.#has('Addresses').catch(() => false);
    return hasAddresses ? startKeepingAddresses({ ask, earlier: this.#earlier }, uuid, start) : start();
  }

  async #features(): Promise<ReadonlySet<Feature>> {
    const { migrationAddress } = this.#options;
    const provisions = { logsConsoles: false, migrates: migrationAddress !== undefined };
    return featuresOf(await this.#hypervisor.kind(), provisions);
  }

  /** The address under which guests are taken in here. */
  async #demandMigration(): Promise<string> {
    const { migrationAddress } = this.#options;
    if (migrationAddress !== undefined && (await this.#features()).has('LiveMigration')) return migrationAddress;
    throw new DriverError('Unsupported', 'guests cannot move to or from this hypervisor: it has no migration address');
  }

  #connected(again: boolean): void {
    if (again) {
      this.#hypervisor.forget();
      this.#events.publish({ kind: 'Reconnected' });
    }
  }
}

async function guarded<T>(verb: () => Promise<T>): Promise<T> {
  try {
    return await verb();
  } catch (error) {
    throw error instanceof DriverError
      ? error
      : new DriverError('Failed', `a fault of the driver: ${String(error)}`, error);
  }
}
