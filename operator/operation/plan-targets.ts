// Which VMs an operation is about, and which of them can be had: decided once, before anything is done.
import { amountOf, plus } from '#crds/amount.ts';
import { isUnlimited, limitsOf } from '#crds/resources.ts';
import { setLimits } from '#crds/set/syntax.ts';
import { DNS_LABEL } from '#crds/v1alpha1/fragments.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { VirtualMachineSpec } from '#crds/v1alpha1/virtual-machine-spec.ts';
import type { Candidate, Demand } from '#operator/placement/candidate.ts';
import { place } from '#operator/placement/place.ts';
import type { Action } from './actions.ts';
import { isReached } from './goals.ts';
import { planAdoption } from './plan-adopt.ts';
import { verbFor } from './rights.ts';
import { hintedHypervisors, hintFault, isHeld, targetsOf } from './sets.ts';
import type { Snapshot } from './snapshot.ts';
import { denied, notFound, type Settle, settle } from './told.ts';

const isLabel = new RegExp(DNS_LABEL);

/** Pure. The list of targets, with what is known of them already; or why it ends here. */
export function planTargets(snapshot: Snapshot): Action[] {
  const { operation, rights } = snapshot;
  const found = targetsOf(operation, snapshot.machines, snapshot.guests);
  if (typeof found === 'string') return [ends('Failed', 'InvalidTargets', found)];
  if (found.length === 0)
    return [
      ends('Failed', 'NoTargets', 'No VirtualMachine of this namespace is meant by spec.targets: nothing was done.'),
    ];
  if (found.length > setLimits.names) return [ends('Failed', 'TooManyTargets', tooMany(found.length))];
  const wrong = found.find((name) => name.length > 63 || !isLabel.test(name));
  if (wrong !== undefined) return [ends('Failed', 'InvalidTargets', noName(wrong))];
  const fault = hintFault(snapshot);
  if (fault !== undefined) return [ends('Failed', 'InvalidHints', fault)];
  if (rights.hintDenied !== undefined) return [ends('Denied', 'HintsDenied', rights.hintDenied)];
  const refused = [...refusedIn(snapshot, found), ...withoutRoom(snapshot, found)];
  const resolve = { kind: 'Resolve', targets: found } as const;
  if (operation.spec.grant === 'AllOrNothing' && refused.length > 0)
    return [resolve, ...refused, ...spared(found, refused)];
  return [resolve, ...refused];
}

function ends(phase: 'Failed' | 'Denied', code: string, reason: string): Action {
  return { kind: 'Finish', phase, code, reason };
}

function noName(name: string): string {
  return `spec.targets.set: no VirtualMachine can be called ${name}: names are DNS labels of at most 63 characters, with a letter or digit at both ends.`;
}

function tooMany(count: number): string {
  return `spec.targets means ${count} VirtualMachines, and one operation is for ${setLimits.names} at most: narrow the set, and create several operations.`;
}

function refusedIn(snapshot: Snapshot, names: readonly string[]): Settle[] {
  const { operation, machines, rights } = snapshot;
  if (operation.spec.type === 'Adopt')
    return names.map((name) => planAdoption(snapshot, name)).filter((plan) => plan.kind === 'Settle');
  return names.flatMap((name) => {
    const exists = machines.has(name);
    if (!exists && operation.spec.template === undefined) return [settle(name, notFound(name))];
    const verb = verbFor(operation.spec.type, exists);
    const { allowed, reason } = rights.to(verb, name);
    return allowed ? [] : [settle(name, denied(snapshot, verb, reason))];
  });
}

/** Those of a Start for which there is no room beside all the others. */
function withoutRoom(snapshot: Snapshot, names: readonly string[]): Settle[] {
  const { operation, machines, rights } = snapshot;
  if (operation.spec.type !== 'Start') return [];
  let candidates = snapshot.candidates;
  return names.flatMap((name) => {
    const vm = machines.get(name);
    const spec = vm?.spec ?? operation.spec.template?.spec;
    const holds = vm !== undefined && (isHeld(vm) || isReached(vm, 'Running'));
    if (spec === undefined || holds || !rights.to(verbFor('Start', vm !== undefined), name).allowed) return [];
    const demand = demandOf(spec, vm, hintedHypervisors(snapshot));
    const verdict = place(demand, candidates);
    if (verdict.kind === 'Nowhere')
      return [settle(name, { outcome: 'NotGranted', reason: verdict.code, message: verdict.message })];
    candidates = candidates.map((each) => (each === verdict.candidate ? holding(each, demand) : each));
    return [];
  });
}

function demandOf(spec: VirtualMachineSpec, vm: VirtualMachine | undefined, hints: readonly string[]): Demand {
  return {
    uid: vm?.metadata.uid ?? '',
    amount: amountOf(spec.resources),
    guaranteesCpu: !isUnlimited(limitsOf(spec.resources)),
    disks: spec.disks ?? [],
    preferred: hints.length > 0 ? hints : (spec.placement?.preferredHypervisors ?? []),
    selector: spec.placement?.requiredHypervisorSelector,
    refusedBy: [],
  };
}

function holding(candidate: Candidate, { amount }: Demand): Candidate {
  return { ...candidate, assigned: plus(candidate.assigned, amount) };
}

/** With AllOrNothing nothing is done to those either that could have been had. */
function spared(names: readonly string[], refused: readonly Settle[]): Settle[] {
  const without = new Set(refused.map(({ result }) => result.name));
  const message = `All or nothing was asked for, and ${without.size} of ${names.length} cannot be had: nothing was done.`;
  return names
    .filter((name) => !without.has(name))
    .map((name) => settle(name, { outcome: 'NotGranted', reason: 'AllOrNothing', message }));
}
