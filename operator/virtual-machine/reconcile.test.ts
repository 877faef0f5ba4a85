import { expect } from 'chai';
import { virtualMachineResource } from '#crds/v1alpha1/kinds.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import { DEFAULT_MIGRATION } from '#operator/migration/settings.ts';
import { Ledger } from '#operator/placement/ledger.ts';
import { Refusals } from '#operator/placement/refusals.ts';
import { VirtualClock } from '#runtime/clock/virtual.ts';
import { KubeError, type KubeErrorReason } from '#runtime/kube/errors.ts';
import { MemoryApiServer } from '#runtime/kube/memory/server.ts';
import { silentLogger } from '#runtime/process/log.ts';
import { ObjectCache } from '#runtime/reflector/object-cache.ts';
import { OwnWrites } from '#runtime/reflector/own-writes.ts';
import { candidate, GIBIBYTE } from '#test/builders/hypervisor.ts';
import { newMachine, placedMachine } from '#test/builders/virtual-machine.ts';
import type { MachineContext } from './context.ts';
import { reconcileVirtualMachine } from './reconcile.ts';

const KEY = { namespace: 'team', name: 'web' };
const LOST = new KubeError('Unreachable', 'the connection broke');

/** team/web, and hv1 with room for it and no more. */
class Scene {
  readonly clock = new VirtualClock();
  readonly api = new MemoryApiServer({ clock: this.clock, random: Math.random }).serve({
    type: virtualMachineResource,
    statusSubresource: true,
  });
  readonly machines = new ObjectCache<VirtualMachine, 'hypervisor'>({ hypervisor: () => [] });
  readonly context: MachineContext;

  constructor() {
    const ledger = new Ledger();
    const allocatable = { cpus: 1, memoryBytes: GIBIBYTE };
    const candidates = () => [candidate({ allocatable, assigned: ledger.assignedTo('hv1') })];
    this.context = {
      store: this.api.asUser('operator'),
      machineType: virtualMachineResource,
      machines: this.machines,
      ownWrites: new OwnWrites<VirtualMachine>(),
      ledger,
      refusals: new Refusals(),
      foreignFor: () => undefined,
      claimFor: () => undefined,
      hold: () => undefined,
      candidates,
      candidate: (wanted) => candidates().find(({ name }) => name === wanted),
      silence: () => undefined,
      sign: () => 'c2lnbmVk',
      migration: DEFAULT_MIGRATION,
      stays: () => undefined,
      waiting: new Map<string, number>(),
      warn: () => undefined,
      clock: this.clock,
      logger: silentLogger,
    };
  }

  async open(): Promise<this> {
    const { uid: _, resourceVersion: __, ...metadata } = newMachine().metadata;
    await this.api.asUser('adele').create(virtualMachineResource, { ...newMachine(), metadata });
    return this.catchUp();
  }

  /** The cache sees what the server has. */
  async catchUp(): Promise<this> {
    const vm = await this.stored();
    this.machines.put(vm);
    this.context.ledger.record(vm);
    return this;
  }

  async stored(): Promise<VirtualMachine> {
    return this.context.store.get(virtualMachineResource, KEY);
  }

  /** "done", or why not. */
  async reconcile(): Promise<'done' | KubeErrorReason> {
    try {
      await reconcileVirtualMachine(this.context, 'team/web', new AbortController().signal);
      return 'done';
    } catch (error) {
      if (error instanceof KubeError) return error.reason;
      throw error;
    }
  }

  get assigned(): number {
    return this.context.ledger.assignedTo('hv1').cpus;
  }
}

describe('the operator', () => {
  it('places a VM that fits exactly, with one write, and rests', async () => {
    const scene = await new Scene().open();
    expect([await scene.reconcile(), await scene.reconcile(), scene.assigned]).to.deep.equal(['done', 'done', 1]);
    expect((await scene.stored()).status?.placement).to.include({ hypervisor: 'hv1', epoch: 1 });
    expect(scene.api.writes.filter(({ user }) => user === 'operator')).to.have.length(1);
  });

  it('holds the room for a write that may have been done, and takes it for the next try', async () => {
    const scene = await new Scene().open();
    scene.api.faults.add({ match: ({ verb }) => verb === 'mergePatch', refuse: LOST });
    expect([await scene.reconcile(), scene.assigned]).to.deep.equal(['Unreachable', 1]);
    expect([await scene.reconcile(), scene.assigned]).to.deep.equal(['done', 1]);
    expect((await scene.stored()).status?.placement).to.include({ hypervisor: 'hv1', epoch: 1 });
  });

  it('finds out that a write whose answer was lost had been done', async () => {
    const scene = await new Scene().open();
    scene.api.faults.add({ match: ({ verb }) => verb === 'mergePatch', loseAnswer: LOST });
    expect([await scene.reconcile(), scene.assigned]).to.deep.equal(['Unreachable', 1]);
    expect([await scene.reconcile(), scene.assigned]).to.deep.equal(['Conflict', 1]);
    await scene.catchUp();
    expect([await scene.reconcile(), scene.assigned]).to.deep.equal(['done', 1]);
    expect((await scene.stored()).status?.placement?.epoch).to.equal(1);
  });

  it('gives the room back when the VM was changed meanwhile', async () => {
    const scene = await new Scene().open();
    await scene.api.asUser('adele').mergePatch(virtualMachineResource, KEY, { spec: { powerState: 'Stopped' } });
    expect([await scene.reconcile(), scene.assigned]).to.deep.equal(['Conflict', 0]);
    await scene.catchUp();
    expect([await scene.reconcile(), scene.assigned]).to.deep.equal(['done', 0]);
    expect((await scene.stored()).status?.granted?.powerState).to.equal('Stopped');
  });

  it('gives the room back when a write that was lost is no longer wanted', async () => {
    const scene = await new Scene().open();
    scene.api.faults.add({ match: ({ verb }) => verb === 'mergePatch', refuse: LOST });
    await scene.reconcile();
    await scene.api.asUser('adele').mergePatch(virtualMachineResource, KEY, { spec: { powerState: 'Stopped' } });
    await scene.catchUp();
    expect([await scene.reconcile(), scene.assigned]).to.deep.equal(['done', 0]);
  });

  it('remembers who waits for room, and forgets who is gone', async () => {
    const scene = await new Scene().open();
    scene.context.ledger.record(otherMachine());
    await scene.reconcile();
    expect([...scene.context.waiting.keys()]).to.deep.equal(['team/web']);
    scene.machines.remove('team/web');
    await scene.reconcile();
    expect([...scene.context.waiting]).to.deep.equal([]);
  });
});

/** Another VM that has taken all there is. */
function otherMachine(): VirtualMachine {
  return placedMachine({ metadata: { name: 'other', uid: 'other' } });
}
