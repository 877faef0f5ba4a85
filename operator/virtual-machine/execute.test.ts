import { expect } from 'chai';
import { virtualMachineResource } from '#crds/v1alpha1/kinds.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import { DEFAULT_MIGRATION } from '#operator/migration/settings.ts';
import { Ledger } from '#operator/placement/ledger.ts';
import { Refusals } from '#operator/placement/refusals.ts';
import { settle, VirtualClock } from '#runtime/clock/virtual.ts';
import { MemoryApiServer } from '#runtime/kube/memory/server.ts';
import { silentLogger } from '#runtime/process/log.ts';
import { ObjectCache } from '#runtime/reflector/object-cache.ts';
import { OwnWrites } from '#runtime/reflector/own-writes.ts';
import { uuidFor } from '#test/builders/uuid.ts';
import { grantedFor, newMachine } from '#test/builders/virtual-machine.ts';
import type { Action } from './actions.ts';
import type { MachineContext } from './context.ts';
import { execute } from './execute.ts';

describe('a decision whose answer is late', () => {
  it('holds no room for a VM that was seen to go meanwhile', async () => {
    const clock = new VirtualClock();
    const api = new MemoryApiServer({ clock, random: Math.random });
    api.serve({ type: virtualMachineResource, statusSubresource: true });
    const { uid: _, resourceVersion: __, ...metadata } = newMachine().metadata;
    const vm = await api.asUser('adele').create(virtualMachineResource, { ...newMachine(), metadata });
    const context = contextOf(api, clock, vm);
    api.faults.add({ match: ({ verb }) => verb === 'mergePatch', answerDelay: () => 1_000 });
    const executing = execute(context, vm, placedOn('hv1', vm), new AbortController().signal);
    await settle();
    expect(context.ledger.assignedTo('hv1').cpus).to.equal(1);
    context.machines.remove('team/web');
    context.ledger.forget(vm.metadata.uid);
    await Promise.all([executing, clock.advance(1_000)]);
    expect(context.ledger.assignedTo('hv1').cpus).to.equal(0);
    expect(context.ownWrites.latest(vm)).to.equal(vm);
  });
});

function placedOn(hypervisor: string, vm: VirtualMachine): Action[] {
  const reason = 'It is there.';
  return [
    { kind: 'Grant', granted: grantedFor(vm), verdict: 'Allow', reason },
    { kind: 'Place', hypervisor, hypervisorUID: uuidFor(hypervisor), epoch: 1, alternatives: 0, reason },
  ];
}

function contextOf(api: MemoryApiServer, clock: VirtualClock, vm: VirtualMachine) {
  const machines = new ObjectCache<VirtualMachine, 'hypervisor'>({ hypervisor: () => [] });
  machines.put(vm);
  return {
    store: api.asUser('operator'),
    machineType: virtualMachineResource,
    machines,
    ownWrites: new OwnWrites<VirtualMachine>(),
    ledger: new Ledger(),
    refusals: new Refusals(),
    foreignFor: () => undefined,
    claimFor: () => undefined,
    hold: () => undefined,
    candidates: () => [],
    candidate: () => undefined,
    silence: () => undefined,
    sign: () => 'c2lnbmVk',
    migration: DEFAULT_MIGRATION,
    stays: () => undefined,
    waiting: new Map<string, number>(),
    warn: () => undefined,
    clock,
    logger: silentLogger,
  } satisfies MachineContext;
}
