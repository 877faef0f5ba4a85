// What the operator does about one VM: pure, from a snapshot to actions with their reasons.
import { findCondition, isConditionFalse } from '#crds/conditions.ts';
import { currentInstance, epochIsOver } from '#crds/derive/epoch.ts';
import { parseQuantity } from '#crds/quantity.ts';
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
  /** Lets the object go: no node can still run its guest. */
  | { readonly kind: 'Finalize'; readonly reason: string };

export interface Plan {
  readonly actions: readonly Action[];
  /** Look again after so many milliseconds even if nothing happens. */
  readonly again?: number;
}

/** How long a hypervisor that refused a VM is passed over. */
export const REFUSAL_MEMORY_MS = 30_000;
/** A VM without a place is looked at again when room appears, and this often in case that was missed. */
export const UNPLACED_RETRY_MS = 30_000;

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
  const { vm, home } = snapshot;
  if (!vm.metadata.finalizers?.includes(VM_FINALIZER)) return { actions: [] };
  const reason = safeToFinalize(snapshot);
  if (reason !== undefined) return { actions: [{ kind: 'Finalize', reason }] };
  return { actions: home.kind === 'None' ? [] : planReachability(snapshot) };
}

/** Why no node can still run the guest; undefined while one might. */
function safeToFinalize({ vm, home }: Snapshot): string | undefined {
  const { placement } = vm.status ?? {};
  if (placement === undefined) return 'It was never placed.';
  const state = currentInstance(vm.status)?.powerState;
  if (state === 'Absent') return `${placement.hypervisor} reports the guest gone.`;
  const nobodyToAsk = home.kind !== 'Known' || !home.reachable.yes;
  if (nobodyToAsk && epochIsOver(vm.status)) return `The guest had ended before ${placement.hypervisor} fell silent.`;
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
  const refusedBy = recentRefusal(snapshot);
  const verdict = place(demandOf(vm, granted, refusedBy), snapshot.candidates);
  if (verdict.kind === 'Nowhere') {
    const known = findCondition(vm.status?.conditions, 'Placed');
    const unchanged = known?.status === 'False' && known.reason === verdict.code;
    const action: Action = { kind: 'CannotPlace', code: verdict.code, reason: verdict.message };
    return { actions: unchanged ? [] : [action], again: UNPLACED_RETRY_MS };
  }
  const epoch = (vm.status?.placement?.epoch ?? 0) + 1;
  const { name, uid } = verdict.candidate;
  return { actions: [{ kind: 'Place', hypervisor: name, hypervisorUID: uid, epoch, reason: verdict.reason }] };
}

/** A new permission is written only where none is out, and only where something asks for a start. */
function wantsNewEpoch(vm: VirtualMachine, granted: Granted): boolean {
  if (granted.powerState !== 'Running' || !epochIsOver(vm.status)) return false;
  const state = currentInstance(vm.status)?.powerState;
  if (state === undefined || state === 'Refused' || state === 'Absent') return true;
  const wasDeclaredStopped = vm.status?.granted?.powerState === 'Stopped';
  const waitsForRoom = isConditionFalse(vm.status?.conditions, 'Placed');
  return wasDeclaredStopped || waitsForRoom || vm.spec.restartPolicy === 'Always';
}

function recentRefusal({ vm, now }: Snapshot): string[] {
  const instance = currentInstance(vm.status);
  const hypervisor = vm.status?.placement?.hypervisor;
  if (instance?.powerState !== 'Refused' || hypervisor === undefined) return [];
  return now - Date.parse(instance.since) < REFUSAL_MEMORY_MS ? [hypervisor] : [];
}

function demandOf(vm: VirtualMachine, granted: Granted, refusedBy: readonly string[]): Demand {
  return {
    amount: { cpus: granted.resources.cpus, memoryBytes: parseQuantity(granted.resources.memory) },
    preferred: vm.spec.placement?.preferredHypervisors ?? [],
    selector: vm.spec.placement?.requiredHypervisorSelector,
    refusedBy,
  };
}

function planReachability({ vm, home }: Snapshot): Action[] {
  const known = findCondition(vm.status?.conditions, 'HypervisorReachable');
  if (home.kind === 'None' || epochIsOver(vm.status)) return [];
  const next = reachabilityOf(home);
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
    return { kind: 'MarkReachable', reachable: false, code: 'Silent', reason: `${home.reachable.why} ${mayRun}` };
  }
  return { kind: 'MarkReachable', reachable: true, code: 'Reachable', reason: `${hypervisor} is heard.` };
}
