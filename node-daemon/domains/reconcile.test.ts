import { expect } from 'chai';
import { virtualMachineResource } from '#crds/v1alpha1/kinds.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import { settle, VirtualClock } from '#runtime/clock/virtual.ts';
import type { ReconcileResult } from '#runtime/controller/controller.ts';
import { MemoryApiServer } from '#runtime/kube/memory/server.ts';
import { keyOf } from '#runtime/kube/resource.ts';
import { silentLogger } from '#runtime/process/log.ts';
import { ObjectCache } from '#runtime/reflector/object-cache.ts';
import { OwnWrites } from '#runtime/reflector/own-writes.ts';
import { uuidFor } from '#test/builders/uuid.ts';
import { type PlacedChanges, placedMachine } from '#test/builders/virtual-machine.ts';
import { createSimulatedDriver } from '../hypervisor/simulated/driver.ts';
import { SimulatedHost } from '../hypervisor/simulated/host.ts';
import type { SimulatedHostOptions } from '../hypervisor/simulated/machine-options.ts';
import { Admission } from './admission.ts';
import type { DomainContext } from './context.ts';
import { definitionOf } from './definition.ts';
import { Memories } from './memory.ts';
import { Moves } from './moves.ts';
import { Orphans } from './orphans.ts';
import { reconcileDomain } from './reconcile.ts';

const COPY = uuidFor('copy');
const FOR_GOOD = new AbortController().signal;

/** hv1 and its daemon, with one VM that was granted and placed there. */
async function node(changes: PlacedChanges = {}, options: Partial<SimulatedHostOptions> = {}) {
  const clock = new VirtualClock();
  const host = new SimulatedHost({ clock, ...options });
  const api = new MemoryApiServer({ clock, random: Math.random });
  api.serve({ type: virtualMachineResource, statusSubresource: true });
  const vm = await stored(api, placedMachine(changes));
  const machines = new ObjectCache<VirtualMachine, 'uuid'>({ uuid: ({ metadata }) => [metadata.uid] });
  machines.put(vm);
  const context = contextOf({ clock, host, api, machines });
  return { clock, host, api, machines, context, vm };
}

async function stored(api: MemoryApiServer, vm: VirtualMachine): Promise<VirtualMachine> {
  const user = api.asUser('operator');
  const { uid: _, resourceVersion: __, ...metadata } = vm.metadata;
  const created = await user.create(virtualMachineResource, { ...vm, metadata });
  const { status } = vm;
  return user.mergePatch(virtualMachineResource, keyOf(created), { status }, { subresource: 'status' });
}

interface World {
  readonly clock: VirtualClock;
  readonly host: SimulatedHost;
  readonly api: MemoryApiServer;
  readonly machines: ObjectCache<VirtualMachine, 'uuid'>;
}

function contextOf({ clock, host, api, machines }: World): DomainContext {
  const admission = new Admission();
  admission.setAllocatable({ cpus: 4, memoryBytes: 2 ** 40 });
  admission.observeAll([], admission.mark());
  return {
    store: api.asUser('hv1'),
    machineType: virtualMachineResource,
    machines,
    incoming: new ObjectCache<VirtualMachine, 'uuid'>({ uuid: () => [] }),
    ownWrites: new OwnWrites(),
    driver: createSimulatedDriver(host),
    admission,
    heartbeat: { isValid: () => true },
    isGuarded: () => false,
    hold: () => 'None',
    verifyControlPlane: async () => undefined,
    self: () => ({ name: 'hv1', uid: uuidFor('hv1'), bootID: host.bootID }),
    memories: new Memories(),
    moves: new Moves(),
    initiators: new Map(),
    orphans: new Orphans(),
    warn: () => undefined,
    clock,
    logger: silentLogger,
  };
}

function definition(vm: VirtualMachine) {
  const { granted, placement } = vm.status ?? {};
  if (granted === undefined || placement === undefined) throw new TypeError('it was not placed');
  return definitionOf(vm, granted, placement);
}

/** Lets so much time pass while one pass is at work. */
async function during(clock: VirtualClock, pass: Promise<ReconcileResult>, milliseconds: number): Promise<void> {
  await Promise.all([pass, clock.advance(milliseconds)]);
}

describe('a copy of a guest, marks and all', () => {
  it('that goes away while it is looked at says nothing of the guest', async () => {
    const { clock, host, api, context, vm } = await node({ metadata: { finalizers: ['a/b'] }, instance: 'Running' });
    await context.driver.define({ ...definition(vm), uuid: COPY, name: 'copy' });
    await api.asUser('adele').delete(virtualMachineResource, keyOf(vm));
    api.faults.add({ match: ({ verb }) => verb === 'get', answerDelay: () => 1_000 });
    const pass = reconcileDomain(context, COPY, FOR_GOOD);
    await settle();
    host.machine.undefine(COPY);
    await during(clock, pass, 1_000);
    const { status } = await api.asUser('adele').get(virtualMachineResource, keyOf(vm));
    expect(status?.instance?.powerState).to.equal('Running');
  });
});

describe('a start under another permission than the last', () => {
  it('that was cut off before it began leaves nothing behind that looks like an end under this one', async () => {
    const world = await node({ placement: { epoch: 2 } });
    const { context, host, vm } = world;
    const { metadata: written, ...rest } = definition(vm);
    await context.driver.define({ ...rest, metadata: { ...written, epoch: 1 } });
    await context.driver.start(vm.metadata.uid);
    await context.driver.shutdown(vm.metadata.uid);
    const cut = new Error('killed');
    context.driver.start = async () => Promise.reject(cut);
    expect(await reconcileDomain(context, vm.metadata.uid, FOR_GOOD).catch((error: unknown) => error)).to.equal(cut);

    await reconcileDomain(contextOf(world), vm.metadata.uid, FOR_GOOD);
    const { powerState, metadata } = host.machine.list()[0] ?? {};
    expect([powerState, metadata?.epoch]).to.deep.equal(['Running', 2]);
  });
});

describe('a start that takes long', () => {
  it('is brought to its end where somebody writes to the VM meanwhile, and keeps its room', async () => {
    const { clock, api, context, vm } = await node(
      { spec: { resources: { cpus: 3, memory: '1Gi' } } },
      {
        startMilliseconds: 5_000,
      },
    );
    const pass = reconcileDomain(context, vm.metadata.uid, FOR_GOOD);
    await settle();
    await api.asUser('adele').mergePatch(virtualMachineResource, keyOf(vm), { metadata: { labels: { a: 'b' } } });
    const ended = await during(clock, pass, 6_000).catch((error: unknown) => error);
    expect(ended).to.include({ reason: 'Conflict' });
    expect(context.memories.get(vm.metadata.uid).startedAt).to.equal(5_000);
    expect(context.admission.roomFor('another', { cpus: 2, memoryBytes: 1 }).fits).to.equal(false);
  });
});

describe('a guest that cannot be asked to shut down', () => {
  const grace = {
    spec: { powerState: 'Stopped', powerOff: { mode: 'GracefulThenForce', gracePeriodSeconds: 30 } },
  } as const;

  for (const outcome of ['Timeout', 'Failed', 'Invalid', 'Unsupported', 'Busy'] as const) {
    it(`is switched off when its grace period is over, where it is for ${outcome}`, async () => {
      const { clock, host, context, vm } = await node({ ...grace, instance: 'Running' });
      const { uid } = vm.metadata;
      await context.driver.define(definition(vm));
      await context.driver.start(uid);
      host.faults.order({ verb: 'shutdown', outcome, times: 100 });
      for (let seconds = 0; seconds < 40; seconds += 5) {
        await reconcileDomain(context, uid, FOR_GOOD);
        expect(host.machine.get(uid).power.kind).to.equal(seconds < 30 ? 'Running' : 'Off');
        await clock.advance(5_000);
      }
    });
  }

  it('was not asked where the hypervisor does not answer: its grace period has not begun', async () => {
    const { clock, host, context, vm } = await node({ ...grace, instance: 'Running' });
    const { uid } = vm.metadata;
    await context.driver.define(definition(vm));
    await context.driver.start(uid);
    host.behave(uid, { ignoresShutdown: true });
    host.faults.order({ verb: 'shutdown', outcome: 'Timeout' });
    host.faults.order({ verb: 'observe', outcome: 'Timeout', times: 2 });
    for (let pass = 0; pass < 3; pass++) {
      await reconcileDomain(context, uid, FOR_GOOD).catch(() => undefined);
      await clock.advance(60_000);
    }
    expect(context.memories.get(uid).stop).to.deep.include({ askedAt: 120_000, by: { kind: 'Request' } });
    expect(host.machine.get(uid).power.kind).to.equal('Running');
  });
});

describe('a guest whose state the hypervisor does not know', () => {
  const told = async ({ api, vm }: Awaited<ReturnType<typeof node>>) => {
    const { status } = await api.asUser('adele').get(virtualMachineResource, keyOf(vm));
    const ready = status?.conditions?.find(({ type }) => type === 'Ready');
    return `${status?.phase} ${ready?.status} ${ready?.reason}: ${ready?.message}`;
  };
  const hung = async (changes: PlacedChanges) => {
    const world = await node(changes);
    const { uid } = world.vm.metadata;
    await world.context.driver.define(definition(world.vm));
    await world.context.driver.start(uid);
    world.host.hangGuest(uid);
    return world;
  };
  const look = async ({ context, clock, api, machines, vm }: Awaited<ReturnType<typeof node>>, seconds: number) => {
    for (let passed = 0; passed < seconds; passed += 5) {
      machines.put(await api.asUser('adele').get(virtualMachineResource, keyOf(vm)));
      await reconcileDomain(context, vm.metadata.uid, FOR_GOOD);
      await clock.advance(5_000);
    }
  };

  it('is told after a minute with what a person can do, and to run again when it is known', async () => {
    const world = await hung({ instance: 'Running' });
    await look(world, 60);
    expect(await told(world)).not.to.contain('StateUnknown');
    await look(world, 10);
    expect(await told(world)).to.match(/^Running False StateUnknown: .* virsh domstate --reason team\.web /);
    world.host.machine.get(world.vm.metadata.uid).hung = false;
    await look(world, 5);
    expect(await told(world)).to.contain('Running True Running');
  });

  it('and that cannot be switched off: why is told, and it is tried until it works', async () => {
    const powerOff = { mode: 'Force', gracePeriodSeconds: 0 } as const;
    const world = await hung({ instance: 'Running', spec: { powerState: 'Stopped', powerOff } });
    world.host.faults.order({ verb: 'destroy', outcome: 'Timeout', times: 5 });
    await look(world, 10);
    expect(await told(world)).to.match(/^Stopping False StopFailed: hv1 could not switch the guest off: .* pauses\.$/);
    await look(world, 70);
    expect(await told(world)).to.match(/^Stopping False StopFailed: .* for a minute or more .* virsh domstate/);
    await look(world, 80);
    expect(await told(world)).to.contain('Stopped True Stopped');
  });
});

describe('what the daemon remembers of its own writes', () => {
  it('is nothing of a VM that left the node before the answer came', async () => {
    const { clock, api, context, machines, vm } = await node();
    api.faults.add({ match: ({ verb }) => verb === 'mergePatch', answerDelay: () => 1_000 });
    const pass = reconcileDomain(context, vm.metadata.uid, FOR_GOOD);
    await settle();
    machines.remove('team/web');
    await during(clock, pass, 1_000);
    expect(context.ownWrites.latest(vm)).to.equal(vm);
  });
});

describe('a start', () => {
  it('is not begun once the Lease of this node has run out, though it was planned before', async () => {
    const world = await node();
    const context = { ...world.context, heartbeat: { isValid: () => valid } };
    let valid = true;
    const { driver } = context;
    const define = driver.define.bind(driver);
    driver.define = async (made) => {
      await define(made);
      valid = false;
    };
    const failure = await reconcileDomain(context, world.vm.metadata.uid, FOR_GOOD).catch(String);
    expect(failure).to.contain('the Lease of this node ran out');
    expect(world.host.machine.list().map(({ powerState }) => powerState)).to.deep.equal(['ShutOff']);
    expect(context.admission.isStarting(), 'room is held').to.equal(false);
  });
});
