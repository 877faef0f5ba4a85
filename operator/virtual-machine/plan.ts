// What the operator does about one VM: pure, from a snapshot to actions with their reasons.
import { isConditionFalse } from '#crds/conditions.ts';
import { isForced } from '#crds/derive/deletion.ts';
import { currentInstance, epochIsOver } from '#crds/derive/epoch.ts';
import { isSurelyHibernated, mayBeThere } from '#crds/derive/hibernated.ts';
import { startsAgain } from '#crds/derive/starts-again.ts';
import { FORCE_DELETE_ANNOTATION, VM_FINALIZER } from '#crds/v1alpha1/names.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { Granted, Proof } from '#crds/v1alpha1/virtual-machine-status.ts';
import { planActiveMigration } from '#operator/migration/plan-active.ts';
import { planDrain } from '#operator/migration/plan-drain.ts';
import { planMove } from '#operator/migration/plan-move.ts';
import { type PlaceVerdict, place } from '#operator/placement/place.ts';
import { HOLD_ADVICE, isOnHold } from '#operator/site/hold.ts';
import type { TakeoverVerdict } from '#operator/takeover/wants-takeover.ts';
import type { Action, Plan } from './actions.ts';
import { demandOf } from './demand.ts';
import { planExpiry } from './plan-expiry.ts';
import { planGrant } from './plan-grant.ts';
import { planReachability } from './plan-reachability.ts';
import { planRebuild } from './plan-rebuild.ts';
import { takeoverIn } from './plan-takeover.ts';
import type { Snapshot } from './snapshot.ts';
import { isTold, NO_ROOM_RETRY_MS } from './waiting-for-room.ts';

/** After so many refusals the fault is hardly theirs: the next one keeps the VM, and tells what is wrong. */
const MOST_REFUSALS = 3;

/** Pure. An empty list of actions means that nothing is to be written. */
export function planVirtualMachine(snapshot: Snapshot): Plan {
  const moving = planActiveMigration(snapshot);
  if (moving !== undefined && moving.actions.length > 0) return moving;
  if (snapshot.vm.metadata.deletionTimestamp !== undefined) return planDeletion(snapshot);
  const rebuild = planRebuild(snapshot);
  if (rebuild !== undefined) return rebuild;
  const granting = planGrant(snapshot);
  const granted = grantIn(granting) ?? snapshot.vm.status?.granted;
  const recovery = takeoverIn(snapshot);
  const placing: Placing = granted === undefined ? { actions: [] } : planPlacement(snapshot, granted, recovery);
  const reachability = planReachability(snapshot, { recovery, nowhere: placing.nowhere });
  const marking: Plan = { actions: placesAnew(placing) ? [] : reachability };
  const migrating = moving ?? planMoveAway(snapshot, granted);
  return together([granting, placing, planAbandonment(snapshot, granted), planExpiry(snapshot), marking, migrating]);
}

function planMoveAway(snapshot: Snapshot, granted: Granted | undefined): Plan {
  if (granted === undefined || isOnHold(snapshot.hold)) return { actions: [] };
  return planMove(snapshot, granted) ?? planDrain(snapshot, granted) ?? { actions: [] };
}

/**
 * Declared Stopped, a guest that is hibernated where nobody can be asked is given up: no process of it can be there, and
 * what is kept of it is refused by its epoch once another was given.
 */
function planAbandonment(snapshot: Snapshot, granted: Granted | undefined): Plan {
  const { status } = snapshot.vm;
  const applies = granted?.powerState === 'Stopped' && isNobodyToAsk(snapshot) && !epochIsOver(status);
  if (!applies || !isSurelyHibernated(status)) return { actions: [] };
  const where = status?.placement?.hypervisor ?? '';
  const reason = `What ${where} keeps of the guest is given up: it cannot be asked, and spec.powerState is Stopped.`;
  return { actions: [{ kind: 'Abandon', reason }] };
}

/** All their actions, in this order; looked at again when the first of them asks for it. */
function together(plans: readonly Plan[]): Plan {
  const again = Math.min(...plans.map((plan) => plan.again ?? Number.POSITIVE_INFINITY));
  const stays = plans.find((plan) => plan.stays !== undefined)?.stays;
  return {
    actions: plans.flatMap(({ actions }) => actions),
    ...(again === Number.POSITIVE_INFINITY ? {} : { again }),
    ...(plans.some(({ waitsForRoom }) => waitsForRoom === true) ? { waitsForRoom: true } : {}),
    ...(stays === undefined ? {} : { stays }),
  };
}

function grantIn({ actions }: Plan): Granted | undefined {
  return actions.find((action) => action.kind === 'Grant')?.granted;
}

function placesAnew(plan: Plan): boolean {
  return plan.actions.some((action) => action.kind === 'Place');
}

function planDeletion(snapshot: Snapshot): Plan {
  const { vm } = snapshot;
  if (!vm.metadata.finalizers?.includes(VM_FINALIZER)) return { actions: [] };
  const reason = safeToFinalize(snapshot);
  if (reason !== undefined) return { actions: [{ kind: 'Finalize', reason }] };
  if (isForced(vm)) return { actions: [forced(vm)] };
  const reachability = planReachability(snapshot, {});
  if (reachability.length > 0 || vm.status?.phase === 'Terminating' || !isNobodyToAsk(snapshot)) {
    return { actions: reachability };
  }
  return { actions: [{ kind: 'ShowDeletion', reason: 'Its hypervisor cannot be asked.' }] };
}

/** The risk is told, with what will become of the guest if it does run. */
function forced({ status }: VirtualMachine): Action {
  const { hypervisor = '' } = status?.placement ?? {};
  const risk =
    `Removed by force (annotation ${FORCE_DELETE_ANNOTATION}): its guest may still run on ${hypervisor}, and have its ` +
    `disks in use. Where it does, ${hypervisor} reports it as Orphaned, and nothing is done to it.`;
  return { kind: 'Finalize', reason: risk, risk };
}

function isNobodyToAsk({ home }: Snapshot): boolean {
  return home.kind !== 'Known' || (!home.reachable.yes && !home.reachable.brief);
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
  if (isNobodyToAsk(snapshot) && isSurelyHibernated(vm.status))
    return `The guest had been hibernated before ${placement.hypervisor} fell silent.`;
  return undefined;
}

interface Placing extends Plan {
  /** Why no other hypervisor can take a VM whose own fell silent. */
  readonly nowhere?: string;
}

function planPlacement(snapshot: Snapshot, granted: Granted, recovery: TakeoverVerdict | undefined): Placing {
  const proof = recovery?.kind === 'Proven' ? recovery.proof : undefined;
  if (proof === undefined && !wantsNewEpoch(snapshot.vm, granted)) return notNow(recovery);
  const verdict = isOnHold(snapshot.hold) ? ON_HOLD : place(demandOf(snapshot, granted), snapshot.candidates);
  if (verdict.kind === 'Chosen') return { actions: [placed(snapshot, verdict, proof)] };
  if (proof !== undefined) return { actions: [], again: NO_ROOM_RETRY_MS, nowhere: verdict.message };
  const action = { kind: 'CannotPlace', code: verdict.code, reason: verdict.message } as const;
  const told = isTold(snapshot, { type: 'Placed', status: 'False' }, action);
  return { actions: told ? [] : [action], again: NO_ROOM_RETRY_MS, waitsForRoom: true };
}

function placed(
  { vm, refusedBy }: Snapshot,
  { candidate, alternatives, reason }: Extract<PlaceVerdict, { kind: 'Chosen' }>,
  proof: Proof | undefined,
): Action {
  const where = {
    hypervisor: candidate.name,
    hypervisorUID: candidate.uid,
    epoch: (vm.status?.placement?.epoch ?? 0) + 1,
    alternatives: refusedBy.length < MOST_REFUSALS ? alternatives : 0,
  };
  if (proof === undefined) return { kind: 'Place', ...where, reason };
  return { kind: 'Place', ...where, proof, reason: `${proof.message} ${reason}` };
}

function notNow(recovery: TakeoverVerdict | undefined): Placing {
  const again = recovery?.kind === 'Waiting' ? recovery.again : undefined;
  return { actions: [], ...(again === undefined ? {} : { again }) };
}

const ON_HOLD = {
  kind: 'Nowhere',
  code: 'SiteOnHold',
  message: `Nothing is placed while the site is on hold. ${HOLD_ADVICE}`,
} as const;

/** A new permission is written only where none is out, and only where something asks for a start. */
function wantsNewEpoch(vm: VirtualMachine, granted: Granted): boolean {
  if (!mayBeThere(granted.powerState) || !epochIsOver(vm.status)) return false;
  if (currentInstance(vm.status)?.powerState !== 'Stopped') return true;
  const { granted: before } = vm.status ?? {};
  const wasDeclaredOff = before !== undefined && !mayBeThere(before.powerState);
  const waitsForRoom = isConditionFalse(vm.status?.conditions, 'Placed');
  return wasDeclaredOff || waitsForRoom || isStartAsked(vm.status) || endedToStartAgain(vm);
}

function endedToStartAgain({ spec, status }: VirtualMachine): boolean {
  return startsAgain(spec.restartPolicy, status?.lastTermination?.reason);
}

/** An operation asks for a guest that has ended by itself, under the permission that it had. */
function isStartAsked(status: VirtualMachine['status']): boolean {
  const operation = status?.granted?.operation;
  return operation?.type === 'Start' && operation.epoch === status?.placement?.epoch;
}
