// What the operator does about one VM: pure, from a snapshot to actions with their reasons.
import { amountOf } from '#crds/amount.ts';
import { findCondition, isConditionFalse } from '#crds/conditions.ts';
import { currentInstance, epochIsOver } from '#crds/derive/epoch.ts';
import { startsAgain } from '#crds/derive/starts-again.ts';
import { VM_FINALIZER } from '#crds/v1alpha1/names.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { Granted } from '#crds/v1alpha1/virtual-machine-status.ts';
import type { Demand } from '#operator/placement/candidate.ts';
import { place } from '#operator/placement/place.ts';
import type { Snapshot } from './snapshot.ts';

export type Action =
  /** The decision on this generation. Until there are policies it is the built-in allow. */
  | { readonly kind: 'Grant'; readonly granted: Granted; readonly reason: string }
  /** A new permission to start, for one hypervisor. */
  | {
      readonly kind: 'Place';
      readonly hypervisor: string;
      readonly hypervisorUID: string;
      readonly epoch: number;
      readonly reason: string;
    }
  | { readonly kind: 'CannotPlace'; readonly code: string; readonly reason: string }
  | { readonly kind: 'MarkReachable'; readonly reachable: boolean; readonly code: string; readonly reason: string }
  /** Nobody else is there to show that it is being deleted. */
  | { readonly kind: 'ShowDeletion'; readonly reason: string }
  /** Lets the object go: no node can still run its guest. */
  | { readonly kind: 'Finalize'; readonly reason: string };

export interface Plan {
  readonly actions: readonly Action[];
  /** Look again after so many milliseconds even if nothing happens. */
  readonly again?: number;
}

/** A VM without a place is looked at again when room appears, and this often in case that was missed. */
const UNPLACED_RETRY_MS = 30_000;

/** Pure. An empty list of actions means that nothing is to be written. */
export function planVirtualMachine(snapshot: Snapshot): Plan {
  if (snapshot.vm.metadata.deletionTimestamp !== undefined) return planDeletion(snapshot);
  const reachability = planReachability(snapshot);
  const grant = planGrant(snapshot.vm);
  const granted = grant?.granted ?? snapshot.vm.status?.granted;
  const placing: Plan = granted === undefined ? { actions: [] } : planPlacement(snapshot, granted);
  return {
    actions: [
      ...(grant === undefined ? [] : [grant]),
      ...placing.actions,
      ...(placesAnew(placing) ? [] : reachability),
    ],
    ...(placing.again === undefined ? {} : { again: placing.again }),
  };
}

function placesAnew(plan: Plan): boolean {
  return plan.actions.some((action) => action.kind === 'Place');
}

function planDeletion(snapshot: Snapshot): Plan {
  const { vm } = snapshot;
  if (!vm.metadata.finalizers?.includes(VM_FINALIZER)) return { actions: [] };
  const reason = safeToFinalize(snapshot);
  if (reason !== undefined) return { actions: [{ kind: 'Finalize', reason }] };
  const reachability = planReachability(snapshot);
  if (reachability.length > 0 || vm.status?.phase === 'Terminating' || !isNobodyToAsk(snapshot)) {
    return { actions: reachability };
  }
  return { actions: [{ kind: 'ShowDeletion', reason: 'Its hypervisor cannot be asked.' }] };
}

function isNobodyToAsk({ home }: Snapshot): boolean {
  return home.kind !== 'Known' || !home.reachable.yes;
}

/** Why no node can still run the guest; undefined while one might. */
function safeToFinalize(snapshot: Snapshot): string | undefined {
  const { vm } = snapshot;
  const { placement } = vm.status ?? {};
  if (placement === undefined) return 'It was never placed.';
  const state = currentInstance(vm.status)?.powerState;
  if (state === 'Absent') return `${placement.hypervisor} reports the guest gone.`;
  if (isNobodyToAsk(snapshot) && epochIsOver(vm.status))
    return `The guest had ended before ${placement.hypervisor} fell silent.`;
  return undefined;
}

function planGrant(vm: VirtualMachine): Extract<Action, { kind: 'Grant' }> | undefined {
  const generation = vm.metadata.generation ?? 0;
  if (vm.status?.granted?.generation === generation) return undefined;
  const { powerState, resources, parameters } = vm.spec;
  return {
    kind: 'Grant',
    granted: {
      generation,
      powerState,
      resources,
      ...(parameters === undefined ? {} : { parameters }),
      decisionID: `${vm.metadata.uid}.${generation}`,
    },
    reason: 'No policy objects: everything is allowed.',
  };
}

function planPlacement(snapshot: Snapshot, granted: Granted): Plan {
  const { vm } = snapshot;
  if (!wantsNewEpoch(vm, granted)) return { actions: [] };
  const verdict = place(demandOf(snapshot, granted), snapshot.candidates);
  if (verdict.kind === 'Nowhere') {
    const action: Action = { kind: 'CannotPlace', code: verdict.code, reason: verdict.message };
    return { actions: isToldUnplaceable(vm, verdict.code) ? [] : [action], again: UNPLACED_RETRY_MS };
  }
  const epoch = (vm.status?.placement?.epoch ?? 0) + 1;
  const { name, uid } = verdict.candidate;
  return { actions: [{ kind: 'Place', hypervisor: name, hypervisorUID: uid, epoch, reason: verdict.reason }] };
}

/** How many hypervisors have which fault changes all the time; it is told anew only with another fault or another spec. */
function isToldUnplaceable({ metadata, status }: VirtualMachine, code: string): boolean {
  const known = findCondition(status?.conditions, 'Placed');
  return known?.status === 'False' && known.reason === code && known.observedGeneration === metadata.generation;
}

/** A new permission is written only where none is out, and only where something asks for a start. */
function wantsNewEpoch(vm: VirtualMachine, granted: Granted): boolean {
  if (granted.powerState !== 'Running' || !epochIsOver(vm.status)) return false;
  if (currentInstance(vm.status)?.powerState !== 'Stopped') return true;
  const wasDeclaredStopped = vm.status?.granted?.powerState === 'Stopped';
  const waitsForRoom = isConditionFalse(vm.status?.conditions, 'Placed');
  return wasDeclaredStopped || waitsForRoom || startsAgain(vm.spec.restartPolicy, vm.status?.lastTermination?.reason);
}

function demandOf({ vm, refusedBy }: Snapshot, granted: Granted): Demand {
  return {
    amount: amountOf(granted.resources),
    preferred: vm.spec.placement?.preferredHypervisors ?? [],
    selector: vm.spec.placement?.requiredHypervisorSelector,
    refusedBy,
  };
}

function planReachability({ vm, home }: Snapshot): Action[] {
  if (home.kind === 'None') return [];
  const known = findCondition(vm.status?.conditions, 'HypervisorReachable');
  const next = reachabilityOf(home);
  const ofInterest = !epochIsOver(vm.status) || (next.reachable && known?.status === 'False');
  if (!ofInterest) return [];
  if (known?.status === (next.reachable ? 'True' : 'False') && known.reason === next.code) return [];
  return [next];
}

function reachabilityOf(home: Exclude<Snapshot['home'], { kind: 'None' }>): Extract<Action, { kind: 'MarkReachable' }> {
  const { hypervisor } = home;
  const mayRun = 'The guest may be running; nothing is done to it.';
  if (home.kind === 'Gone') {
    const reason = `Hypervisor ${hypervisor} no longer exists in the API. ${mayRun}`;
    return { kind: 'MarkReachable', reachable: false, code: 'HypervisorGone', reason };
  }
  if (!home.reachable.yes) {
    return {
      kind: 'MarkReachable',
      reachable: false,
      code: home.reachable.code,
      reason: `${home.reachable.why} ${mayRun}`,
    };
  }
  return { kind: 'MarkReachable', reachable: true, code: 'Reachable', reason: `${hypervisor} is heard.` };
}
