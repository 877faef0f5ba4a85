// The driver for simulated hosts: a view of one host, through a connection that may fail as ordered.
import type { Limits } from '#crds/resources.ts';
import type {
  Capabilities,
  Domain,
  DomainDefinition,
  DomainMetadata,
  DriverEvent,
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
import { DriverError, isDriverError } from '../errors.ts';
import type { Fault, Verb } from './faults.ts';
import { domainOf, inspectionOf } from './guest.ts';
import type { SimulatedHost } from './host.ts';

const DEADLINE_MILLISECONDS = 10_000;

/** A driver for this host; as many as wanted may exist side by side and after one another. */
export function createSimulatedDriver(
  host: SimulatedHost,
  options: { readonly deadlineMilliseconds?: number } = {},
): HypervisorDriver {
  return new SimulatedDriver(host, options.deadlineMilliseconds ?? DEADLINE_MILLISECONDS);
}

class SimulatedDriver implements HypervisorDriver {
  readonly name = 'simulated';
  readonly #host: SimulatedHost;
  readonly #deadline: number;
  readonly #closed = new AbortController();

  constructor(host: SimulatedHost, deadline: number) {
    this.#host = host;
    this.#deadline = deadline;
  }

  capabilities(): Promise<Capabilities> {
    const { features } = this.#host.machine.options;
    return this.#call('capabilities', undefined, () => ({ type: 'simulated', version: '1', features }));
  }

  node(): Promise<NodeInfo> {
    return this.#call('node', undefined, () => this.#host.machine.node());
  }

  list(): Promise<readonly Domain[]> {
    return this.#call('list', undefined, () => this.#host.machine.list());
  }

  observe(uuid: string): Promise<Observation> {
    return this.#call('observe', uuid, () => {
      const guest = this.#host.machine.guests.find(uuid);
      return guest === undefined ? { kind: 'Absent' } : { kind: 'Present', domain: domainOf(guest) };
    });
  }

  inspect(uuid: string): Promise<Inspection> {
    return this.#call('inspect', uuid, () => inspectionOf(this.#host.machine.get(uuid)));
  }

  define(definition: DomainDefinition): Promise<void> {
    return this.#call('define', definition.uuid, () => this.#host.machine.define(definition));
  }

  setMetadata(uuid: string, metadata: DomainMetadata): Promise<void> {
    return this.#call('setMetadata', uuid, () => this.#host.machine.setMetadata(uuid, metadata));
  }

  release(uuid: string): Promise<void> {
    return this.#call('release', uuid, () => this.#host.machine.release(uuid));
  }

  start(uuid: string, how?: StartOptions): Promise<void> {
    return this.#call('start', uuid, () => this.#host.machine.start(uuid, how));
  }

  pause(uuid: string): Promise<void> {
    return this.#call('pause', uuid, () => this.#host.machine.pause(uuid));
  }

  resume(uuid: string): Promise<void> {
    return this.#call('resume', uuid, () => this.#host.machine.resume(uuid));
  }

  hibernate(uuid: string): Promise<void> {
    return this.#call('hibernate', uuid, () => this.#host.machine.hibernate(uuid));
  }

  discardImage(uuid: string): Promise<void> {
    return this.#call('discardImage', uuid, () => this.#host.machine.discardImage(uuid));
  }

  limits(uuid: string): Promise<Limits> {
    return this.#call('limits', uuid, () => this.#host.machine.limits(uuid));
  }

  setLimits(uuid: string, limits: Limits): Promise<void> {
    return this.#call('setLimits', uuid, () => this.#host.machine.setLimits(uuid, limits));
  }

  shutdown(uuid: string): Promise<void> {
    return this.#call('shutdown', uuid, () => this.#host.machine.shutdown(uuid));
  }

  reboot(uuid: string): Promise<void> {
    return this.#call('reboot', uuid, () => this.#host.machine.reboot(uuid));
  }

  destroy(uuid: string): Promise<void> {
    return this.#call('destroy', uuid, () => this.#host.machine.destroy(uuid));
  }

  undefine(uuid: string): Promise<void> {
    return this.#call('undefine', uuid, () => this.#host.machine.undefine(uuid));
  }

  checkIncoming(definition: DomainDefinition): Promise<void> {
    return this.#call('checkIncoming', definition.uuid, () => {
      this.#host.departures.demand();
      this.#host.machine.checkIncoming(definition);
    });
  }

  migrate(uuid: string, address: string, options: MigrationOptions): Promise<void> {
    const act = () => this.#host.departures.migrate(uuid, address, options);
    return this.#call('migrate', uuid, act, options.timeoutMs + this.#deadline);
  }

  migrationProgress(uuid: string): Promise<MigrationProgress | undefined> {
    return this.#call('migrationProgress', uuid, () => this.#host.departures.progress(uuid));
  }

  abortMigration(uuid: string): Promise<void> {
    return this.#call('abortMigration', uuid, () => this.#host.departures.abort(uuid));
  }

  takeBack(uuid: string): Promise<void> {
    return this.#call('takeBack', uuid, () => this.#host.departures.takeBack(uuid));
  }

  usage(): Promise<UsageSample> {
    return this.#call('usage', undefined, () => this.#host.machine.usage());
  }

  addresses(uuid: string): Promise<readonly ObservedAddress[]> {
    return this.#call('addresses', uuid, () => this.#host.machine.addresses(uuid));
  }

  watch(signal: AbortSignal): AsyncIterable<DriverEvent> {
    if (!this.#host.machine.options.features.has('Events')) {
      return failing(new DriverError('Unsupported', 'this hypervisor announces no events'));
    }
    if (this.#closed.signal.aborted) {
      return failing(closedError());
    }
    return this.#host.events.subscribe(AbortSignal.any([signal, this.#closed.signal]));
  }

  close(): Promise<void> {
    this.#closed.abort();
    return Promise.resolve();
  }

  async #call<T>(
    verb: Verb,
    uuid: string | undefined,
    act: () => T | Promise<T>,
    deadline = this.#deadline,
  ): Promise<T> {
    const call = this.#host.log.add(verb, uuid, this.#host.machine.options.clock.monotonic());
    try {
      const result = await this.#attempt(verb, uuid, act, deadline);
      call.outcome = 'Done';
      return result;
    } catch (error) {
      call.outcome = isDriverError(error) ? error.reason : 'Failed';
      throw error;
    }
  }

  async #attempt<T>(verb: Verb, uuid: string | undefined, act: () => T | Promise<T>, deadline: number): Promise<T> {
    if (this.#closed.signal.aborted) {
      throw closedError();
    }
    if (this.#host.connection === 'Disconnected') {
      throw new DriverError('Unreachable', 'the simulated hypervisor cannot be reached');
    }
    if (this.#host.connection === 'Hanging') {
      return this.#hang(verb);
    }
    const fault = this.#host.faults.take(verb, uuid);
    if (fault !== undefined) {
      return this.#fail(verb, fault, act);
    }
    const result = act();
    return result instanceof Promise ? this.#inTime(verb, result, deadline) : result;
  }

  async #fail(verb: Verb, fault: Fault, act: () => unknown): Promise<never> {
    if (fault.takesEffect === true) {
      await act();
    }
    if (fault.outcome === 'Hang') {
      return this.#hang(verb);
    }
    throw new DriverError(fault.outcome, fault.message ?? `${verb} was ordered to fail with ${fault.outcome}`);
  }

  async #hang(verb: Verb): Promise<never> {
    await this.#host.machine.options.clock.sleep(this.#deadline);
    throw new DriverError('Timeout', `${verb}: no answer within ${this.#deadline} ms`);
  }

  async #inTime<T>(verb: Verb, result: Promise<T>, deadline: number): Promise<T> {
    const answered = new AbortController();
    const late = this.#host.machine.options.clock.sleep(deadline, answered.signal).then((): never => {
      throw new DriverError('Timeout', `${verb}: no answer within ${deadline} ms`);
    });
    try {
      return await Promise.race([result, late]);
    } finally {
      answered.abort();
    }
  }
}

function closedError(): DriverError {
  return new DriverError('Unreachable', 'this driver was closed');
}

function failing(error: DriverError): AsyncIterable<never> {
  const next = async (): Promise<never> => {
    throw error;
  };
  return { [Symbol.asyncIterator]: () => ({ next }) };
}
