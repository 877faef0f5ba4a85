// What the sections of the suite share: a driver, domains that are cleaned up, and ways to wait.
import { randomUUID } from 'node:crypto';
import { setTimeout as realPause } from 'node:timers/promises';
import { expect } from 'chai';
import type { Domain, DomainDefinition, DomainMetadata, Feature, HypervisorDriver, ShutOffReason } from '../driver.ts';
import { DriverError, type DriverErrorReason } from '../errors.ts';
import type { DriverUnderTest } from './subject.ts';

const POLL_MILLISECONDS = 50;

export class Workbench {
  readonly subject: DriverUnderTest;
  #driver: HypervisorDriver | undefined;
  readonly #made = new Set<string>();
  readonly #foreign = new Set<string>();

  constructor(subject: DriverUnderTest) {
    this.subject = subject;
  }

  get driver(): HypervisorDriver {
    if (this.#driver === undefined) {
      throw new Error('the workbench was not opened');
    }
    return this.#driver;
  }

  async open(): Promise<void> {
    this.#driver = await this.subject.make();
  }

  /** Closes the driver and makes another, as a daemon does that starts again. */
  async reopen(): Promise<void> {
    await this.driver.close();
    await this.open();
  }

  async close(): Promise<void> {
    await this.driver.close();
  }

  has(feature: Feature): boolean {
    return this.subject.features.has(feature);
  }

  /** A definition that can be started here, of a domain that is removed after the test. */
  definition(changes: Partial<DomainDefinition> = {}): DomainDefinition {
    const definition = definitionFor(this.subject, changes);
    this.#made.add(definition.uuid);
    return definition;
  }

  async defined(changes: Partial<DomainDefinition> = {}): Promise<DomainDefinition> {
    const definition = this.definition(changes);
    await this.driver.define(definition);
    return definition;
  }

  async started(changes: Partial<DomainDefinition> = {}): Promise<DomainDefinition> {
    const definition = await this.defined(changes);
    await this.driver.start(definition.uuid);
    return definition;
  }

  /** Remembers a domain that `control.createForeign` is about to make. */
  foreign(): { uuid: string; name: string } {
    const uuid = randomUUID();
    this.#foreign.add(uuid);
    return { uuid, name: `foreign-${uuid.slice(0, 8)}` };
  }

  async clear(): Promise<void> {
    for (const uuid of this.#made) {
      await this.driver.destroy(uuid);
      await this.driver.undefine(uuid);
    }
    const { removeForeign } = this.subject.control;
    for (const uuid of this.#foreign) {
      expect(removeForeign).to.be.a('function', 'a driver test that can make foreign domains must remove them too');
      await (removeForeign as (uuid: string) => Promise<void>)(uuid);
    }
    this.#made.clear();
    this.#foreign.clear();
  }

  async present(uuid: string): Promise<Domain> {
    const observation = await this.driver.observe(uuid);
    if (observation.kind === 'Absent') {
      throw new Error(`domain ${uuid} is absent`);
    }
    return observation.domain;
  }

  async pause(milliseconds: number): Promise<void> {
    await (this.subject.pause?.(milliseconds) ?? realPause(milliseconds));
  }

  /** Asks until the answer is something, or fails with what was waited for. */
  async eventually<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
    const rounds = Math.ceil(this.subject.timeouts.settleMilliseconds / POLL_MILLISECONDS);
    for (let round = 0; round <= rounds; round += 1) {
      const answer = await ask();
      if (answer !== undefined) {
        return answer;
      }
      await this.pause(POLL_MILLISECONDS);
    }
    throw new Error(`${what}: not so within ${this.subject.timeouts.settleMilliseconds} ms`);
  }

  /** Waits until a domain is off and returns it. */
  async off(uuid: string, ...reasons: ShutOffReason[]): Promise<Domain> {
    const domain = await this.eventually(`domain ${uuid} is off`, async () => {
      const found = await this.present(uuid);
      return isOff(found) ? found : undefined;
    });
    expect(domain.shutOffReason).to.be.oneOf(reasons);
    return domain;
  }

  /** Asks a guest to shut down until it has; a guest that is still booting may miss the first request. */
  async shutDown(uuid: string): Promise<void> {
    await this.subject.guest.ready?.(uuid);
    await this.eventually(`domain ${uuid} obeys the request to shut down`, async () => {
      await this.driver.shutdown(uuid);
      return isOff(await this.present(uuid)) ? true : undefined;
    });
  }
}

export function isOff(domain: Domain): boolean {
  return domain.powerState === 'ShutOff' || domain.powerState === 'Crashed';
}

export function metadataFor(uid: string, changes: Partial<DomainMetadata> = {}): DomainMetadata {
  return {
    uid,
    namespace: 'conformance',
    name: `vm-${uid.slice(0, 8)}`,
    epoch: 1,
    generation: 1,
    payload: JSON.stringify({ uid, epoch: 1 }),
    signature: 'c2lnbmF0dXJl',
    ...changes,
  };
}

export function definitionFor(subject: DriverUnderTest, changes: Partial<DomainDefinition> = {}): DomainDefinition {
  const uuid = changes.uuid ?? randomUUID();
  const { network } = subject.guest;
  return {
    uuid,
    name: `conformance.vm-${uuid.slice(0, 8)}`,
    cpus: 1,
    memoryBytes: subject.guest.memoryBytes,
    boot: subject.guest.boot,
    disks: [],
    interfaces: network === undefined ? [] : [{ name: 'eth0', network, macAddress: macAddressFor(uuid) }],
    metadata: metadataFor(uuid),
    ...changes,
  };
}

function macAddressFor(uuid: string): string {
  return `52:54:00:${uuid.slice(0, 2)}:${uuid.slice(2, 4)}:${uuid.slice(4, 6)}`;
}

/** Expects a rejection by a DriverError with one of the reasons, and returns it. */
export async function rejected(call: Promise<unknown>, ...reasons: DriverErrorReason[]): Promise<DriverError> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error, `expected a rejection: ${reasons.join(' or ')}`).to.be.instanceOf(DriverError);
  const driverError = error as DriverError;
  expect(driverError.reason, driverError.message).to.be.oneOf(reasons);
  expect(driverError.message, 'the message of the error').not.to.equal('');
  return driverError;
}
