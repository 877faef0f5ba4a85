// One target of an operation: what is done to it, and what came of that.
import { findCondition } from '#crds/conditions.ts';
import { OPERATION_ANNOTATION } from '#crds/v1alpha1/names.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { VirtualMachineOperation } from '#crds/v1alpha1/virtual-machine-operation.ts';
import type { VirtualMachineSpec } from '#crds/v1alpha1/virtual-machine-spec.ts';
import type { Action } from './actions.ts';
import { askedOf, isAsked, isAwaited } from './asked.ts';
import { goals, hasEnded, isDecided, isHibernated, isReached, isUp, type PowerState, standsStill } from './goals.ts';
import { planAdopted, planAdoption } from './plan-adopt.ts';
import { planMoved } from './plan-moved.ts';
import { planOnceOver } from './plan-once.ts';
import { verbFor } from './rights.ts';
import { hintedHypervisors } from './sets.ts';
import type { Snapshot } from './snapshot.ts';
import { denied, notFound, notHibernated, notUp, type Settle, settle, type Told } from './told.ts';

type Begin = Extract<Action, { kind: 'Begin' }>;

/** Reasons of a VM that needs a person, and yet may come right by itself. */
const passing: ReadonlySet<string> = new Set(['Lost', 'HypervisorUnreachable']);

/** Pure. What is done to a target that may be begun now, or why nothing is. */
export function planBegin(snapshot: Snapshot, name: string): Begin | Settle {
  const { operation, machines, rights } = snapshot;
  const { type } = operation.spec;
  if (type === 'Adopt') return planAdoption(snapshot, name);
  const vm = machines.get(name);
  const verb = verbFor(type, vm !== undefined);
  if (vm === undefined && type === 'Release') return settle(name, goneSince);
  if (vm === undefined && operation.spec.template === undefined) return settle(name, notFound(name));
  const right = rights.to(verb, name);
  if (!right.allowed) return settle(name, denied(snapshot, verb, right.reason));
  if (vm === undefined) return planCreation(snapshot, name);
  const gone = goneInWords(snapshot, vm);
  if (gone !== undefined) return settle(name, gone);
  return planExisting(snapshot, vm);
}

/** What is not there at the beginning is settled then. */
const goneSince: Told = {
  outcome: 'Unknown',
  reason: 'Gone',
  message: 'It is gone, by this operation before an operator died, or by somebody else: look at the guest.',
};

function planExisting(snapshot: Snapshot, vm: VirtualMachine): Begin | Settle {
  const { name } = vm.metadata;
  switch (snapshot.operation.spec.type) {
    case 'Start':
      return hasEnded(vm) ? planOnce(snapshot, vm) : planDeclaration(vm, 'Running');
    case 'Shutdown':
      return planDeclaration(vm, 'Stopped');
    // Neither starts anything: a VM that is declared Paused is started so.
    case 'Pause':
      return isUp(vm) || standsStill(vm) ? planDeclaration(vm, 'Paused') : settle(name, { ...notUp(vm), vm });
    case 'Resume':
      return isUp(vm) || standsStill(vm) ? planDeclaration(vm, 'Running') : settle(name, { ...notUp(vm), vm });
    case 'PowerOff': {
      if (isReached(vm, 'Stopped')) return planDeclaration(vm, 'Stopped');
      const effect = { kind: 'PowerOff', vm } as const;
      return { kind: 'Begin', name, effect, reason: 'Its plug is pulled.' };
    }
    case 'Destroy': {
      if (vm.spec.deletionPolicy === 'Release') return settle(name, { ...outlives(), vm });
      const effect = { kind: 'Destroy', vm } as const;
      return { kind: 'Begin', name, effect, reason: 'Its plug is pulled, and it is deleted.' };
    }
    case 'Release': {
      const effect = { kind: 'Release', vm } as const;
      return { kind: 'Begin', name, effect, reason: 'It is deleted, and its guest let go of.' };
    }
    case 'Hibernate':
      return isThere(vm) ? planDeclaration(vm, 'Hibernated') : settle(name, { ...notUp(vm), vm });
    case 'Restore':
      return isThere(vm) ? planDeclaration(vm, 'Running') : settle(name, { ...notHibernated(vm), vm });
    case 'Migrate':
    case 'Reboot':
    case 'Cycle':
      return planOnce(snapshot, vm);
    case 'Adopt':
      return planAdoption(snapshot, name);
  }
}

/** With its memory, in its hypervisor or on disk. */
function isThere(vm: VirtualMachine): boolean {
  return isUp(vm) || standsStill(vm) || isHibernated(vm);
}

/** Its daemon lets go of the guest when the VM is deleted, and a plug that nobody looks after cannot be pulled. */
function outlives(): Told {
  const message =
    'spec.deletionPolicy is Release, so that its guest would outlive it: set it to PowerOff, or power it off first and delete it.';
  return { outcome: 'Failed', reason: 'DeletionReleases', message };
}

/** What was asked by this operation already, before a crash, is not asked again. */
function planOnce(snapshot: Snapshot, vm: VirtualMachine): Begin | Settle {
  const { operation } = snapshot;
  const { name } = vm.metadata;
  if (isAsked(operation, vm))
    return { kind: 'Begin', name, effect: { kind: 'Await' }, reason: 'It was asked already.' };
  const { type } = operation.spec;
  const asked = askedOf(operation, vm, type === 'Migrate' ? hintedHypervisors(snapshot) : []);
  if (asked === undefined || (type !== 'Start' && !isUp(vm))) return settle(name, { ...notUp(vm), vm });
  return { kind: 'Begin', name, effect: { kind: 'Ask', vm, operation: asked }, reason: `It is asked to ${type}.` };
}

function planDeclaration(vm: VirtualMachine, goal: PowerState): Begin | Settle {
  const { name } = vm.metadata;
  if (isReached(vm, goal))
    return settle(name, { outcome: 'Succeeded', reason: 'AlreadySo', message: `It was ${goal} already.`, vm });
  if (vm.spec.powerState === goal)
    return { kind: 'Begin', name, effect: { kind: 'Await' }, reason: `It is declared ${goal} already.` };
  return { kind: 'Begin', name, effect: { kind: 'Declare', vm, powerState: goal }, reason: `It shall be ${goal}.` };
}

function planCreation(snapshot: Snapshot, name: string): Begin | Settle {
  const { template } = snapshot.operation.spec;
  if (template === undefined) return settle(name, notFound(name));
  const hints = hintedHypervisors(snapshot);
  const placement =
    hints.length === 0 ? template.spec.placement : { ...template.spec.placement, preferredHypervisors: hints };
  const spec: VirtualMachineSpec = {
    ...template.spec,
    powerState: 'Running',
    ...(placement === undefined ? {} : { placement }),
  };
  const effect = { kind: 'Create', spec, labels: template.metadata?.labels ?? {} } as const;
  return { kind: 'Begin', name, effect, reason: 'It does not exist: it is created from the template.' };
}

/** Pure. What came of a target that is under way; undefined while it still is. */
export function planFollowUp(snapshot: Snapshot, name: string, begunAt: string): Settle | undefined {
  const { operation, machines, now } = snapshot;
  const vm = machines.get(name);
  const seconds = Math.max(0, Math.round((now - Date.parse(begunAt)) / 1000));
  const goal = goals[operation.spec.type];
  if (goal.kind === 'Gone') {
    if (vm !== undefined && !isReplaced(snapshot, vm)) return undefined;
    return settle(name, { outcome: 'Succeeded', reason: 'Done', message: 'It is gone.', seconds });
  }
  if (vm === undefined)
    return settle(name, { outcome: 'Failed', reason: 'Gone', message: 'The VM was deleted meanwhile.', seconds });
  const end =
    goneInWords(snapshot, vm) ?? (goal.kind === 'Be' ? endOf(operation, vm, goal.powerState) : onceOver(snapshot, vm));
  return end === undefined ? undefined : settle(name, { ...end, vm, seconds });
}

function onceOver(snapshot: Snapshot, vm: VirtualMachine): Told | undefined {
  const { kind } = goals[snapshot.operation.spec.type];
  if (kind === 'Adopted') return planAdopted(vm);
  return kind === 'Moved' ? planMoved(snapshot, vm) : planOnceOver(snapshot, vm);
}

function endOf(operation: VirtualMachineOperation, vm: VirtualMachine, goal: PowerState): Told | undefined {
  if (vm.spec.powerState !== goal) {
    const message = `Somebody declared it ${vm.spec.powerState} while the operation was waiting for it to be ${goal}.`;
    return { outcome: 'Failed', reason: 'Superseded', message };
  }
  if (isReached(vm, goal))
    return { outcome: 'Succeeded', reason: 'Done', message: `It is ${goal}${whereInWords(vm)}.` };
  if (!isDecided(vm) || (hasEnded(vm) && isAwaited(operation, vm))) return undefined;
  return refusalOf(vm, goal) ?? needOf(vm);
}

/** Something else was granted than what is declared. */
function refusalOf({ status }: VirtualMachine, goal: PowerState): Told | undefined {
  const granted = status?.granted?.powerState;
  if (granted === goal) return undefined;
  const why = findCondition(status?.conditions, 'Ready')?.message ?? '';
  return { outcome: 'Failed', reason: 'NotAllowed', message: `${granted} was granted, and not ${goal}. ${why}`.trim() };
}

/** It needs a person, and will not come to it by itself. */
function needOf({ metadata, status }: VirtualMachine): Told | undefined {
  const stalled = findCondition(status?.conditions, 'Stalled');
  if (stalled?.status !== 'True' || stalled.observedGeneration !== metadata.generation) return undefined;
  if (passing.has(stalled.reason)) return undefined;
  return { outcome: 'Failed', reason: stalled.reason, message: stalled.message };
}

function whereInWords({ status }: VirtualMachine): string {
  return status?.phase === 'Running' && status.placement !== undefined ? ` on ${status.placement.hypervisor}` : '';
}

function goneInWords(snapshot: Snapshot, vm: VirtualMachine): Told | undefined {
  if (vm.metadata.deletionTimestamp !== undefined && goals[snapshot.operation.spec.type].kind !== 'Gone')
    return { outcome: 'Failed', reason: 'BeingDeleted', message: 'The VM is being deleted.' };
  if (!isReplaced(snapshot, vm)) return undefined;
  const message = 'The VM was deleted, and another one of its name was created since: that one is not meant.';
  return { outcome: 'Failed', reason: 'Replaced', message };
}

function isReplaced({ operation, progress }: Snapshot, { metadata }: VirtualMachine): boolean {
  const ours = metadata.annotations?.[OPERATION_ANNOTATION] === operation.metadata.uid;
  const since = progress?.startTime;
  return !ours && since !== undefined && Date.parse(metadata.creationTimestamp ?? since) > Date.parse(since);
}
