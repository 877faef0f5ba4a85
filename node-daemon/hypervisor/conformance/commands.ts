// Random sequences of verbs on a few domains: the driver must do what the simulated one does.
import { expect } from 'chai';
import fc from 'fast-check';
import type { Domain, DomainDefinition, Feature, HypervisorDriver } from '../driver.ts';
import { DriverError } from '../errors.ts';
import { createSimulatedDriver } from '../simulated/driver.ts';
import { SimulatedHost } from '../simulated/host.ts';
import { definitionFor, isOff, metadataFor, type Workbench } from './workbench.ts';

const DOMAINS = 3;

interface Pair {
  readonly bench: Workbench;
  readonly model: HypervisorDriver;
  readonly definitions: readonly DomainDefinition[];
}

const ALWAYS = ['Define', 'SetMetadata', 'Release', 'Start', 'Destroy', 'Undefine'] as const;
const WITH_FEATURES = {
  Shutdown: 'GracefulShutdown',
  Pause: 'Pause',
  Resume: 'Pause',
  StartPaused: 'StartPaused',
  Hibernate: 'Hibernate',
  Restore: 'Hibernate',
  DiscardImage: 'Hibernate',
  SetLimits: 'CpuGuarantees',
} as const satisfies Readonly<Record<string, Feature>>;

type Verb = (typeof ALWAYS)[number] | keyof typeof WITH_FEATURES;

export function describeCommands(bench: Workbench): void {
  const { runs, maxLength } = bench.subject.commands;
  const { settleMilliseconds } = bench.subject.timeouts;
  it('does what the simulated driver does, whatever the order of the verbs', async function () {
    this.timeout(runs * maxLength * settleMilliseconds);
    const verbs = fc.commands(commandsFor(bench), { maxCommands: maxLength });
    await fc.assert(
      fc.asyncProperty(verbs, async (commands) => {
        await fc.asyncModelRun(() => ({ model: {}, real: pairOf(bench) }), commands);
        await bench.clear();
      }),
      { numRuns: runs },
    );
  });
}

function pairOf(bench: Workbench): Pair {
  const clock = { now: () => 0, monotonic: () => 0, sleep: () => Promise.resolve() };
  const host = new SimulatedHost({ clock, features: bench.subject.features });
  const definitions = Array.from({ length: DOMAINS }, () => bench.definition());
  return { bench, model: createSimulatedDriver(host), definitions };
}

function commandsFor(bench: Workbench): fc.Arbitrary<VerbCommand>[] {
  const optional = (Object.keys(WITH_FEATURES) as (keyof typeof WITH_FEATURES)[]).filter((verb) =>
    bench.has(WITH_FEATURES[verb]),
  );
  return [...ALWAYS, ...optional].map((verb) =>
    fc
      .record({ index: fc.nat(DOMAINS - 1), variant: fc.integer({ min: 1, max: 2 }) })
      .map(({ index, variant }) => new VerbCommand(verb, index, variant)),
  );
}

class VerbCommand implements fc.AsyncCommand<object, Pair> {
  readonly verb: Verb;
  readonly index: number;
  readonly variant: number;

  constructor(verb: Verb, index: number, variant: number) {
    this.verb = verb;
    this.index = index;
    this.variant = variant;
  }

  check(): boolean {
    return true;
  }

  async run(_model: object, { bench, model, definitions }: Pair): Promise<void> {
    const definition = definitions[this.index] ?? definitionFor(bench.subject);
    const expected = await this.#outcome(model, definition);
    expect(await this.#outcome(bench.driver, definition), `${this.toString()} ended otherwise`).to.equal(expected);
    await this.#obey(model, bench, definition.uuid);
    const uuids = definitions.map(({ uuid }) => uuid);
    const after = `after ${this.toString()}`;
    expect(await viewOf(bench.driver, uuids), after).to.deep.equal(await viewOf(model, uuids));
  }

  /** A guest that was asked to shut down does so once it runs; the model is quicker. */
  async #obey(model: HypervisorDriver, bench: Workbench, uuid: string): Promise<void> {
    const expected = await model.observe(uuid);
    const isDone = expected.kind === 'Present' && isOff(expected.domain);
    const asked = this.verb === 'Shutdown' || this.verb === 'Resume';
    if (asked && isDone && !isOff(await bench.present(uuid))) {
      await bench.shutDown(uuid);
    }
  }

  #outcome(driver: HypervisorDriver, definition: DomainDefinition): Promise<string> {
    return this.#call(driver, definition).then(
      () => 'Done',
      (error: unknown) => {
        expect(error).to.be.instanceOf(DriverError);
        return (error as DriverError).reason;
      },
    );
  }

  #call(driver: HypervisorDriver, definition: DomainDefinition): Promise<void> {
    const { uuid } = definition;
    const metadata = metadataFor(uuid, { epoch: this.variant, payload: `{"variant":"<${this.variant}>"}` });
    switch (this.verb) {
      case 'Define':
        return driver.define({ ...definition, cpus: this.variant, metadata });
      case 'SetMetadata':
        return driver.setMetadata(uuid, metadata);
      case 'Release':
        return driver.release(uuid);
      case 'Start':
        return driver.start(uuid);
      case 'StartPaused':
        return driver.start(uuid, { paused: true });
      case 'Restore':
        return driver.start(uuid, { restore: true });
      case 'Pause':
        return driver.pause(uuid);
      case 'Resume':
        return driver.resume(uuid);
      case 'Hibernate':
        return driver.hibernate(uuid);
      case 'SetLimits':
        return driver.setLimits(uuid, { cpuShares: 1024 * this.variant, cpuLimitMillis: 500 });
      case 'DiscardImage':
        return driver.discardImage(uuid);
      case 'Shutdown':
        return driver.shutdown(uuid);
      case 'Destroy':
        return driver.destroy(uuid);
      case 'Undefine':
        return driver.undefine(uuid);
    }
  }

  toString(): string {
    return `${this.verb}(domain ${this.index}, variant ${this.variant})`;
  }
}

/** What observe and list say of these domains; both must agree, and with each other. */
async function viewOf(driver: HypervisorDriver, uuids: readonly string[]): Promise<object[]> {
  const listed = new Map((await driver.list()).map((domain) => [domain.uuid, domain]));
  return Promise.all(
    uuids.map(async (uuid) => {
      const observation = await driver.observe(uuid);
      const domain = observation.kind === 'Present' ? observation.domain : undefined;
      expect(domain, 'observe and list disagree').to.deep.equal(listed.get(uuid));
      return domain === undefined ? { absent: uuid } : comparable(domain);
    }),
  );
}

/** Not every hypervisor can tell a domain that never ran from one whose end it forgot. */
function comparable(domain: Domain): object {
  const { shutOffReason, ...rest } = domain;
  return isOff(domain)
    ? { ...rest, shutOffReason: shutOffReason === 'NeverStarted' ? 'Unknown' : shutOffReason }
    : rest;
}
