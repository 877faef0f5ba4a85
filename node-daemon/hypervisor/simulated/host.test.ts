import { expect } from 'chai';
import { settle, VirtualClock } from '#runtime/clock/virtual.ts';
import type { Domain, DomainDefinition, DriverEvent, HypervisorDriver } from '../driver.ts';
import { DriverError } from '../errors.ts';
import { createSimulatedDriver } from './driver.ts';
import { SimulatedHost } from './host.ts';
import { steadyLoad } from './load.ts';
import type { SimulatedHostOptions } from './machine-options.ts';

const UUID = '00000000-0000-4000-8000-000000000001';

function definition(uuid = UUID): DomainDefinition {
  const metadata = { uid: uuid, namespace: 'a', name: uuid, epoch: 1, generation: 1, payload: '{}', signature: 's' };
  return {
    uuid,
    name: `a.${uuid}`,
    cpus: 1,
    memoryBytes: 2 ** 20,
    boot: { kind: 'Kernel', image: 'vmlinuz' },
    disks: [],
    interfaces: [
      { name: 'eth0', network: 'default', macAddress: `52:54:00:${uuid.slice(-6).replace(/..\B/g, '$&:')}` },
    ],
    metadata,
  };
}

function simulation(options: Partial<SimulatedHostOptions> = {}) {
  const clock = new VirtualClock();
  const host = new SimulatedHost({ clock, ...options });
  return { clock, host, driver: createSimulatedDriver(host) };
}

async function running(driver: HypervisorDriver, uuid = UUID): Promise<string> {
  await driver.define(definition(uuid));
  await driver.start(uuid);
  return uuid;
}

async function stateOf(driver: HypervisorDriver, uuid = UUID): Promise<Domain> {
  const observation = await driver.observe(uuid);
  if (observation.kind === 'Absent') {
    throw new Error(`${uuid} is absent`);
  }
  return observation.domain;
}

/** How a call ended, or Pending as long as it has not. */
function outcomeOf(call: Promise<unknown>): { outcome: string } {
  const seen = { outcome: 'Pending' };
  void nameOf(call).then((outcome) => Object.assign(seen, { outcome }));
  return seen;
}

async function nameOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'Done';
  } catch (error) {
    return error instanceof DriverError ? error.reason : String(error);
  }
}

describe('a simulated host in virtual time', () => {
  it('runs a guest once its start has taken its time', async () => {
    const { clock, driver } = simulation({ startMilliseconds: 3_000 });
    await driver.define(definition());
    const start = outcomeOf(driver.start(UUID));
    await clock.advance(2_999);
    expect([start.outcome, (await stateOf(driver)).powerState]).to.deep.equal(['Pending', 'Unknown']);
    await clock.advance(1);
    expect([start.outcome, (await stateOf(driver)).powerState]).to.deep.equal(['Done', 'Running']);
  });

  it('answers Timeout to a start that outlasts the deadline, and the guest runs later all the same', async () => {
    const { clock, driver } = simulation({ startMilliseconds: 15_000 });
    await driver.define(definition());
    const start = outcomeOf(driver.start(UUID));
    await clock.advance(10_000);
    expect([start.outcome, (await stateOf(driver)).powerState]).to.deep.equal(['Timeout', 'Unknown']);
    await clock.advance(5_000);
    expect((await stateOf(driver)).powerState).to.equal('Running');
  });

  it('fails a start that is overtaken by destroy', async () => {
    const { clock, driver } = simulation({ startMilliseconds: 1_000 });
    await driver.define(definition());
    const start = outcomeOf(driver.start(UUID));
    await driver.destroy(UUID);
    await clock.advance(1_000);
    expect([start.outcome, (await stateOf(driver)).powerState]).to.deep.equal(['Failed', 'ShutOff']);
  });

  it('shows a guest that obeys as ShuttingDown until it has ended', async () => {
    const { clock, driver } = simulation({ shutdownMilliseconds: 5_000 });
    await running(driver);
    await driver.shutdown(UUID);
    expect((await stateOf(driver)).powerState).to.equal('ShuttingDown');
    await clock.advance(5_000);
    expect(await stateOf(driver)).to.include({ powerState: 'ShutOff', shutOffReason: 'Shutdown' });
  });

  it('does not end a guest that was destroyed and started again while it was shutting down', async () => {
    const { clock, driver } = simulation({ shutdownMilliseconds: 5_000 });
    await running(driver);
    await driver.shutdown(UUID);
    await driver.destroy(UUID);
    await driver.start(UUID);
    await clock.advance(5_000);
    expect((await stateOf(driver)).powerState).to.equal('Running');
  });
});

describe('guests of a simulated host', () => {
  it('may ignore shutdown, and still obey destroy', async () => {
    const { host, driver } = simulation();
    host.behave(UUID, { ignoresShutdown: true });
    await running(driver);
    await driver.shutdown(UUID);
    expect((await stateOf(driver)).powerState).to.equal('Running');
    await driver.destroy(UUID);
    expect((await stateOf(driver)).shutOffReason).to.equal('Destroyed');
  });

  it('have no address and hear no request until they have booted', async () => {
    const { clock, host, driver } = simulation();
    host.behave(UUID, { bootMilliseconds: 20_000 });
    await running(driver);
    await driver.shutdown(UUID);
    expect(await driver.addresses(UUID)).to.deep.equal([]);
    await clock.advance(20_000);
    expect((await driver.addresses(UUID)).map(({ ip }) => ip)).to.deep.equal(['10.0.0.1']);
    await driver.shutdown(UUID);
    expect((await stateOf(driver)).powerState).to.equal('ShutOff');
  });

  it('may fail to start, with the words of the hypervisor', async () => {
    const { host, driver } = simulation();
    host.behave(UUID, { failsToStart: 'KVM is not available' });
    await driver.define(definition());
    const error = await driver.start(UUID).catch((reason: unknown) => reason);
    expect(error).to.include({ reason: 'Failed', message: 'KVM is not available' });
    expect((await stateOf(driver)).shutOffReason).to.equal('Failed');
  });

  it('need no more memory than the machine has', async () => {
    const { driver } = simulation({ memoryBytes: 2 ** 20 - 1 });
    await driver.define(definition());
    expect(await driver.start(UUID).catch((reason: unknown) => reason)).to.include({ reason: 'NoRoom' });
  });

  it('may hang: their state is Unknown and usage leaves them out', async () => {
    const { host, driver } = simulation();
    await running(driver);
    host.hangGuest(UUID);
    expect((await stateOf(driver)).powerState).to.equal('Unknown');
    expect((await driver.usage()).domains.size).to.equal(0);
  });

  it('are gone when they end, where their definition was removed while they ran', async () => {
    const { host, driver } = simulation();
    await running(driver);
    host.undefineBehindOurBack(UUID);
    expect((await stateOf(driver)).powerState).to.equal('Running');
    host.crash(UUID);
    expect(await driver.observe(UUID)).to.deep.equal({ kind: 'Absent' });
  });

  it('are all off after a boot, with counters from 0 and another boot ID', async () => {
    const { clock, host, driver } = simulation();
    await running(driver);
    await clock.advance(60_000);
    const before = host.bootID;
    host.reboot();
    expect(await stateOf(driver)).to.include({ powerState: 'ShutOff', shutOffReason: 'Unknown' });
    expect((await driver.usage()).node.cpuNanoseconds).to.equal(0n);
    expect(host.bootID)
      .to.match(/^[0-9a-f-]{36}$/)
      .and.not.equal(before);
    expect((await driver.node()).freeMemoryBytes).to.equal((await driver.node()).memoryBytes);
  });
});

describe('usage on a simulated host', () => {
  const rates = { cpuMillis: 250, memoryBytes: 10, networkReceive: 8, networkTransmit: 4, diskRead: 2, diskWrite: 1 };

  it('is the load times the time', async () => {
    const { clock, driver } = simulation({ load: () => steadyLoad(rates) });
    await running(driver);
    await clock.advance(2_000);
    expect((await driver.usage()).domains.get(UUID)).to.deep.equal({
      cpuNanoseconds: 500_000_000n,
      memoryBytes: 10,
      networkReceiveBytes: 16n,
      networkTransmitBytes: 8n,
      diskReadBytes: 4n,
      diskWriteBytes: 2n,
    });
  });

  it('goes on from what was counted when the load changes', async () => {
    const { clock, host, driver } = simulation({ load: () => steadyLoad(rates) });
    await running(driver);
    await clock.advance(2_000);
    host.setLoad(UUID, steadyLoad({ ...rates, cpuMillis: 1_000 }));
    await clock.advance(1_000);
    expect((await driver.usage()).domains.get(UUID)).to.include({ cpuNanoseconds: 1_500_000_000n, memoryBytes: 10 });
  });

  it('begins at 0 with each start, while the node keeps what its guests had counted', async () => {
    const { clock, driver } = simulation({ load: () => steadyLoad(rates) });
    await running(driver);
    await clock.advance(2_000);
    await driver.destroy(UUID);
    await driver.start(UUID);
    const { node, domains } = await driver.usage();
    expect(domains.get(UUID)?.cpuNanoseconds).to.equal(0n);
    expect(node).to.include({ cpuNanoseconds: 500_000_000n, memoryBytes: 10 });
  });
});

describe('faults of a simulated host', () => {
  it('make the ordered verb fail, once, for the domain named', async () => {
    const { host, driver } = simulation();
    await driver.define(definition());
    host.faults.order({ verb: 'start', uuid: UUID, outcome: 'Failed', message: 'no such kernel' });
    await driver.observe(UUID);
    expect(await driver.start(UUID).catch(String)).to.contain('no such kernel');
    await driver.start(UUID);
    expect(host.log.calls.map(({ verb, outcome }) => `${verb} ${outcome}`)).to.deep.equal([
      'define Done',
      'observe Done',
      'start Failed',
      'start Done',
    ]);
  });

  it('may lose only the answer: the verb took effect', async () => {
    const { host, driver } = simulation();
    await driver.define(definition());
    host.faults.order({ verb: 'start', outcome: 'Unreachable', takesEffect: true });
    expect(await driver.start(UUID).catch((error: unknown) => error)).to.include({ reason: 'Unreachable' });
    expect((await stateOf(driver)).powerState).to.equal('Running');
  });

  it('may keep a verb hanging until its deadline', async () => {
    const { clock, host, driver } = simulation();
    host.faults.order({ verb: 'list', outcome: 'Hang' });
    const list = outcomeOf(driver.list());
    await clock.advance(9_999);
    expect(list.outcome).to.equal('Pending');
    await clock.advance(1);
    expect(list.outcome).to.equal('Timeout');
  });

  it('are forgotten when cleared', async () => {
    const { host, driver } = simulation();
    host.faults.order({ outcome: 'Failed', times: 5 });
    host.faults.clear();
    expect(await driver.list()).to.deep.equal([]);
  });

  it('may lose events, but not the change', async () => {
    const { host, driver } = simulation();
    const abort = new AbortController();
    const events: DriverEvent[] = [];
    const watching = collect(driver.watch(abort.signal), events);
    await running(driver);
    host.loseEvents(1);
    host.powerOffFromInside(UUID);
    await driver.start(UUID);
    host.crash(UUID);
    await settle();
    abort.abort();
    await watching;
    expect(
      events.map((event) => (event.kind === 'Changed' ? [event.detail, event.initiator] : event.kind)),
    ).to.deep.equal([
      ['started', 'Unknown'],
      ['started', 'Unknown'],
      ['crashed', 'Unknown'],
    ]);
  });
});

describe('a simulated host with ten thousand guests', () => {
  it('starts, counts, lists and stops them all', async () => {
    const { clock, host, driver } = simulation({ callLogLimit: 100 });
    const uuids = Array.from({ length: 10_000 }, (_, n) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`);
    await Promise.all(uuids.map((uuid) => running(driver, uuid)));
    await clock.advance(60_000);
    expect((await driver.usage()).domains.size).to.equal(10_000);
    expect(await driver.list()).to.have.length(10_000);
    await Promise.all(uuids.map((uuid) => driver.shutdown(uuid)));
    expect((await driver.list()).every(({ powerState }) => powerState === 'ShutOff')).to.equal(true);
    expect(host.log.count('start')).to.equal(10_000);
    expect(host.log.calls.length).to.be.within(50, 100);
  }).timeout(120_000);
});

async function collect(source: AsyncIterable<DriverEvent>, into: DriverEvent[]): Promise<void> {
  for await (const event of source) {
    into.push(event);
  }
}
