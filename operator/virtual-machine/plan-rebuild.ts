// A VM whose guest is there already: written anew after the loss of the control plane, declared again by somebody, or
// older than its guest, as a restored backup is. It takes the guest as it is; nothing is started. Pure.

import { canonicalJson } from '#crds/canonical-json.ts';
import { currentInstance, epochIsOver } from '#crds/derive/epoch.ts';
import { instanceUuid } from '#crds/derive/signed-payload.ts';
import { isSameResources } from '#crds/resources.ts';
import { INSTANCE_UUID_ANNOTATION } from '#crds/v1alpha1/names.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { Granted } from '#crds/v1alpha1/virtual-machine-status.ts';
import type { Claim } from '#operator/rebuild/claims.ts';
import { isOfMigration, neverRan } from '#operator/rebuild/owner.ts';
import type { Action, Plan } from './actions.ts';
import { planAdopt } from './plan-adopt.ts';
import type { Snapshot } from './snapshot.ts';
import { NO_ROOM_RETRY_MS, waitFor } from './waiting-for-room.ts';

/** Undefined where it is a VM like any other. */
export function planRebuild(snapshot: Snapshot): Plan | undefined {
  const { vm, claim, hold } = snapshot;
  if (claim === undefined || hold?.phase === 'Waiting')
    return isOlderThanItself(vm) ? (planAdopt(snapshot) ?? waitForGuest(snapshot)) : undefined;
  if (claim.machine.uuid !== instanceUuid(vm)) {
    return hold?.phase === 'Recreating' && neverRan(vm) ? only(bind(claim)) : undefined;
  }
  if (!isToBeTaken(vm, claim)) return undefined;
  if (isDeclaredEarlier(vm, claim)) return only(restore(claim));
  return recover(snapshot, claim);
}

/** Its guest has a name of its own, and no hypervisor was found to have it yet. */
function isOlderThanItself({ metadata, status }: VirtualMachine): boolean {
  return metadata.annotations?.[INSTANCE_UUID_ANNOTATION] !== undefined && status?.placement === undefined;
}

/** A new guest in its place would be a second one. */
function waitForGuest(snapshot: Snapshot): Plan {
  const reason = `It is to take the guest ${instanceUuid(snapshot.vm)}, which no hypervisor reports at the moment.`;
  return waitFor(snapshot, 'GuestNotReported', reason);
}

function only(action: Action): Plan {
  return { actions: [action] };
}

/** What was signed under a higher epoch was signed after the object was written as it is now. */
function isToBeTaken(vm: VirtualMachine, claim: Claim): boolean {
  const { machine, epoch, report } = claim;
  const { status } = vm;
  const { placement } = status ?? {};
  if (isOfMigration(vm, claim)) return false;
  if (placement === undefined || machine.epoch > placement.epoch) return true;
  if (placement.hypervisor === report.spec.nodeName && epoch > placement.epoch) return true;
  return epochIsOver(status) && currentInstance(status)?.powerState === 'Refused';
}

/** The very same object, as it was at an earlier time. */
function isDeclaredEarlier({ metadata, spec }: VirtualMachine, { machine }: Claim): boolean {
  if (metadata.uid !== machine.uid || (metadata.generation ?? 0) >= machine.generation) return false;
  return canonicalJson({ ...spec }) !== canonicalJson({ ...machine.spec });
}

function bind({ machine, report }: Claim): Action {
  const reason = `Its guest runs on ${report.spec.nodeName} already, from before the control plane was lost.`;
  return { kind: 'Bind', uuid: machine.uuid, reason };
}

function restore({ machine, report }: Claim): Action {
  const reason = `The object is older than what was granted last, which the guest on ${report.spec.nodeName} bears: generation ${machine.generation}.`;
  return { kind: 'RestoreSpec', spec: machine.spec, reason };
}

function recover({ vm, candidates }: Snapshot, { machine, epoch, report }: Claim): Plan {
  const hypervisor = report.spec.nodeName;
  const hypervisorUID = candidates.find(({ name }) => name === hypervisor)?.uid;
  // Its daemon registers it before it reports anything.
  if (hypervisorUID === undefined) return { actions: [], again: NO_ROOM_RETRY_MS };
  const reason = `The guest is on ${hypervisor} already: it was taken as it is.`;
  const later = vm.status?.placement === undefined ? 0 : vm.status.placement.epoch + 1;
  return {
    actions: [
      grant(vm, machine.spec.resources),
      { kind: 'Recover', origin: 'Recovered', hypervisor, hypervisorUID, epoch: Math.max(epoch, later), reason },
    ],
  };
}

/** What the guest has; more, where it is declared by now, is decided like any growth. */
function grant(vm: VirtualMachine, resources: Granted['resources']): Action {
  const { powerState, parameters } = vm.spec;
  const generation = vm.metadata.generation ?? 0;
  const whole = isSameResources(resources, vm.spec.resources);
  const granted: Granted = {
    generation,
    powerState,
    resources: whole ? vm.spec.resources : resources,
    ...(parameters === undefined ? {} : { parameters }),
    decisionID: `${vm.metadata.uid}.${generation}`,
  };
  const reason = 'It had been granted before: the guest bears it, signed.';
  return { kind: 'Grant', granted, verdict: whole ? 'Allow' : 'Modify', reason };
}
