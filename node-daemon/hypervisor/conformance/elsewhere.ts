// The other one of two hypervisors that can send each other guests.
import { expect } from 'chai';
import type { DomainDefinition, HypervisorDriver, MigrationOptions } from '../driver.ts';
import type { OtherSide } from './subject.ts';
import { rejected, type Workbench } from './workbench.ts';

export const AT_ONCE: MigrationOptions = { timeoutMs: 60_000 };

/** The other hypervisor, and how long it takes to get there. */
export class Elsewhere {
  readonly side: OtherSide;
  readonly #bench: Workbench;
  readonly #moved = new Set<string>();
  #driver: HypervisorDriver | undefined;

  constructor(bench: Workbench, side: OtherSide) {
    this.#bench = bench;
    this.side = side;
  }

  get driver(): HypervisorDriver {
    if (this.#driver === undefined) throw new Error('the other side was not opened');
    return this.#driver;
  }

  async open(): Promise<void> {
    this.#driver = await this.side.make();
  }

  async close(): Promise<void> {
    await this.driver.close();
  }

  /** A guest that runs here, and is removed there too after the test. */
  async guest(changes: Partial<DomainDefinition> = {}): Promise<DomainDefinition> {
    const definition = await this.#bench.started(changes);
    await this.#bench.subject.guest.ready?.(definition.uuid);
    this.#moved.add(definition.uuid);
    return definition;
  }

  async clear(): Promise<void> {
    for (const uuid of this.#moved) {
      await this.driver.destroy(uuid);
      await this.driver.undefine(uuid);
    }
    this.#moved.clear();
  }

  async stateOf(uuid: string): Promise<string> {
    const seen = await this.driver.observe(uuid);
    return seen.kind === 'Absent' ? 'Absent' : seen.domain.powerState;
  }

  /** One that is under way, slowly, and seen so on both sides. */
  async departed(): Promise<{ definition: DomainDefinition; outcome: Promise<unknown> }> {
    const definition = await this.guest();
    const { uuid } = definition;
    const outcome = this.#bench.driver.migrate(uuid, this.side.address, this.side.slowly).then(
      () => 'arrived',
      (error: unknown) => error,
    );
    await this.#bench.eventually('memory is on its way', async () => {
      const progress = await this.#bench.driver.migrationProgress(uuid);
      return progress !== undefined && progress.processedBytes > 0 && progress.remainingBytes > 0 ? true : undefined;
    });
    return { definition, outcome };
  }

  /** It arrives there. */
  async move(uuid: string): Promise<void> {
    await this.settled(this.#bench.driver.migrate(uuid, this.side.address, AT_ONCE));
  }

  /** What comes of it, while time passes. */
  async settled<T>(work: Promise<T>): Promise<T> {
    let over = false;
    work
      .catch(() => undefined)
      .finally(() => {
        over = true;
      });
    await this.#bench.eventually('the migration ends', async () => over || undefined);
    return work;
  }

  /** It failed, and the guest stayed. */
  async expectStayed(uuid: string, outcome: Promise<unknown>): Promise<Error> {
    const error = await rejected(this.settled(outcome).then(rethrown), 'Failed');
    await this.expectHere(uuid);
    return error;
  }

  /** The guest runs on here, and nothing is left of it there. */
  async expectHere(uuid: string): Promise<void> {
    expect((await this.#bench.present(uuid)).powerState, 'here').to.equal('Running');
    await this.#bench.eventually('nothing is left there', async () =>
      (await this.stateOf(uuid)) === 'Absent' ? true : undefined,
    );
    expect(await this.#bench.driver.migrationProgress(uuid), 'progress after it').to.equal(undefined);
  }
}

function rethrown(outcome: unknown): unknown {
  if (outcome instanceof Error) throw outcome;
  return outcome;
}
