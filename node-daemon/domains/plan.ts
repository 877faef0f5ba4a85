// What the daemon does about one guest: pure, from a snapshot to one plan with its reason. First whose guest it is,
// then what was granted, then what is seen. The parts for starting, stopping and leaving alone lie beside it.
import { currentInstance, epochIsOver } from '#crds/derive/epoch.ts';
import { instanceUuid } from '#crds/derive/signed-payload.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { InstanceState, PlacementStatus } from '#crds/v1alpha1/virtual-machine-status.ts';
import { type Domain, isUp } from '../hypervisor/driver.ts';
import { act, type Mine, type Plan, type Report } from './actions.ts';
import { dueOnce, isForced, isRebooting } from './current-operation.ts';
import { bears, bearsPermission, marksFor } from './marks.ts';
import { HYPERVISOR_SILENT_RETRY_MS, LEASE_RETRY_MS, PROVE_ALIVE_MS, REBOOT_LOOK_MS, restartPause } from './pauses.ts';
import { planAdopt } from './plan-adopt.ts';
import { pauseAfterFailed, planAgain } from './plan-again.ts';
import { planForeign } from './plan-foreign.ts';
import { planAsleep, planHibernated, planSaving } from './plan-hibernate.ts';
import { withinHold } from './plan-hold.ts';
import { planDiscard } from './plan-image.ts';
import { planLimits } from './plan-limits.ts';
import { planSource } from './plan-migration-source.ts';
import { planLeftByMigration, planTarget } from './plan-migration-target.ts';
import { planPaused, planResumed } from './plan-pause.ts';
import { isToBeReleased, planRelease } from './plan-release.ts';
import { planNotRunning } from './plan-start.ts';
import { planStop } from './plan-stop.ts';
import { planUnknown } from './plan-unknown.ts';
import { machineIn, presentDomain, type Snapshot } from './snapshot.ts';
import { requestedTermination } from './termination.ts';

/** Pure and total. */
export function planDomain(snapshot: Snapshot): Plan {
  return withinHold(snapshot, planFreely(snapshot));
}

function planFreely(snapshot: Snapshot): Plan {
  if (snapshot.domain.kind === 'Unknown') {
    return { kind: 'Nothing', reason: snapshot.domain.why, again: HYPERVISOR_SILENT_RETRY_MS };
  }
  const vm = machineIn(snapshot);
  return vm === undefined || snapshot.live.kind === 'Gone' ? planOwnerless(snapshot) : planOwned(snapshot, vm);
}

function planOwnerless(snapshot: Snapshot): Plan {
  if (snapshot.domain.kind !== 'Present') return { kind: 'Nothing', reason: 'There is neither a VM nor a guest.' };
  if (snapshot.domain.domain.metadata === undefined) return { kind: 'Nothing', reason: 'The guest is not ours.' };
  if (snapshot.live.kind === 'NotAsked')
    return { kind: 'Verify', reason: 'The guest is not among the VMs placed here.' };
  return { kind: 'Orphaned', reason: 'Its VirtualMachine no longer exists.' };
}

function planOwned(snapshot: Snapshot, vm: VirtualMachine): Plan {
  const { self } = snapshot;
  const { granted, placement } = vm.status ?? {};
  const domain = presentDomain(snapshot);
  if (domain !== undefined && domain.uuid !== instanceUuid(vm))
    return { kind: 'Orphaned', reason: 'It is a copy of a guest of ours, marks and all: nobody declared it.' };
  if (granted === undefined || placement === undefined) return { kind: 'Nothing', reason: 'Nothing was granted.' };
  if (placement.hypervisor !== self.name) return planTarget(snapshot, vm) ?? planLeftover(snapshot, vm, placement);
  return planMine({ snapshot, vm, granted, placement });
}

/**
 * The VM moved on. Its copy here is removed only on a live read that shows a higher epoch elsewhere. Under no higher one
 * nobody here was ever meant to have it: somebody moved or copied it by hand, or renamed the node.
 */
function planLeftover(snapshot: Snapshot, vm: VirtualMachine, placement: PlacementStatus): Plan {
  if (snapshot.domain.kind !== 'Present')
    return { kind: 'Nothing', reason: `It is placed on ${placement.hypervisor}.` };
  const { domain } = snapshot.domain;
  if (domain.metadata === undefined) return { kind: 'Nothing', reason: 'The guest is not ours.' };
  if (placement.epoch <= domain.metadata.epoch) {
    const left = planLeftByMigration(snapshot, vm, domain);
    if (left !== undefined) return left;
    const reason = `It is placed on ${placement.hypervisor}, but under no higher epoch than the guest here.`;
    return snapshot.live.kind === 'Found' ? { kind: 'Orphaned', reason } : { kind: 'Verify', reason };
  }
  const reason = `It moved to ${placement.hypervisor} under epoch ${placement.epoch}; the copy here has epoch ${domain.metadata.epoch}.`;
  if (isUp(domain)) return act(snapshot, { kind: 'PullPlug', reason });
  const again = pauseAfterFailed(snapshot, 'Undefine');
  if (again > 0) return { kind: 'Nothing', reason: 'It could not be removed.', again };
  return act(snapshot, { kind: 'Undefine', reason });
}

function planMine(mine: Mine): Plan {
  const domain = presentDomain(mine.snapshot);
  if ((domain?.metadata?.epoch ?? 0) > mine.placement.epoch) return planNewer(mine.snapshot);
  const moving = planSource(mine);
  if (moving !== undefined) return moving;
  if (isToBeReleased(mine.vm)) return planRelease(mine, domain);
  const adopting = planAdopt(mine, domain);
  if (adopting !== undefined) return adopting;
  if (domain !== undefined && domain.metadata === undefined) return planForeign(mine, domain);
  if (mine.vm.metadata.deletionTimestamp !== undefined) return planRemoval(mine);
  if (mine.granted.powerState === 'Stopped') return planStopped(mine);
  return planUp(mine);
}

/** The object has gone back in time, as a backup of the control plane does when it is restored: the guest is the truth. */
function planNewer({ live, self }: Snapshot): Plan {
  const reason = `It is placed on ${self.name}, but the guest here has a higher epoch.`;
  return live.kind === 'Found' ? { kind: 'Orphaned', reason } : { kind: 'Verify', reason };
}

function planRemoval(mine: Mine): Plan {
  const { snapshot, vm } = mine;
  const domain = presentDomain(snapshot);
  if (domain === undefined) return { kind: 'Report', report: withTermination('Absent', mine) };
  if (isUp(domain)) return planStop(snapshot, powerOffOf(vm), 'The VirtualMachine is being deleted.');
  const failed = planAgain(snapshot, 'Undefine', withTermination('Stopped', mine));
  return failed ?? act(snapshot, { kind: 'Undefine', reason: 'The VirtualMachine is being deleted.' });
}

function planStopped(mine: Mine): Plan {
  const { snapshot, vm } = mine;
  const domain = presentDomain(snapshot);
  if (domain?.hasImage === true) return planDiscard(mine);
  const marking = domain === undefined ? undefined : planMarks(mine, domain);
  if (marking !== undefined && pauseAfterFailed(snapshot, 'Confirm') === 0) return marking;
  if (domain !== undefined && isUp(domain)) return planStop(snapshot, powerOffOf(vm), 'spec.powerState is Stopped.');
  if (isToldOver(vm)) return { kind: 'Nothing', reason: 'Stopped, and told so.' };
  return { kind: 'Report', report: withTermination('Stopped', mine) };
}

/** By whoever held the permission, too. */
function isToldOver({ status }: VirtualMachine): boolean {
  return epochIsOver(status) && currentInstance(status)?.powerState !== 'Hibernated';
}

/** As its spec says, unless an operation wants it by force. */
function powerOffOf(vm: VirtualMachine): VirtualMachine['spec']['powerOff'] {
  return isForced(vm) ? { mode: 'Force', gracePeriodSeconds: 0 } : vm.spec.powerOff;
}

function withTermination(powerState: InstanceState, { snapshot, vm }: Mine): Report {
  const { stop, ended } = snapshot.memory;
  // It ended by itself before it was asked to, or after it had been asked and wanted again.
  if (ended?.told === false) return { powerState, termination: ended.termination };
  if (stop?.withdrawn === true && ended !== undefined) return { powerState };
  const termination = requestedTermination({ ...snapshot, instance: vm.status?.instance });
  return { powerState, ...(termination === undefined ? {} : { termination }) };
}

/** To run, to stand still, or to be kept as it is. */
function planUp(mine: Mine): Plan {
  const { snapshot } = mine;
  const domain = presentDomain(snapshot);
  switch (domain?.powerState) {
    case 'Running':
    case 'Paused':
      return planMarked(mine, domain);
    case 'Saving':
      return planSaving();
    case 'Incoming':
    case 'Outgoing':
      return { kind: 'Nothing', reason: 'Somebody moves the guest.', again: HYPERVISOR_SILENT_RETRY_MS };
    case 'ShuttingDown':
      return planGoingDown(mine);
    case 'Unknown':
      return planUnknown(mine, domain);
    case 'ShutOff':
    case 'Crashed':
    case undefined:
      return mine.granted.powerState === 'Hibernated' ? planAsleep(mine, domain) : planNotRunning(mine, domain);
  }
}

/** It may come up again by itself: that it goes down is no end then. */
function planGoingDown({ vm, snapshot }: Mine): Plan {
  if (!isRebooting(vm, snapshot.wallTime)) return { kind: 'Report', report: { powerState: 'Stopping' } };
  return { kind: 'Nothing', reason: 'It was asked to reboot, and is going down for that.', again: REBOOT_LOOK_MS };
}

function planMarked(mine: Mine, domain: Domain): Plan {
  const { snapshot } = mine;
  const marking = planMarks(mine, domain);
  if (marking === undefined) return planPace(mine, domain);
  const failed = planAgain(snapshot, 'Confirm', { powerState: 'Starting' });
  if (failed === undefined) return marking;
  return isConfirmed(mine, domain) ? planPace(mine, domain) : failed;
}

/** Undefined where the guest bears all it should. */
function planMarks(mine: Mine, { metadata }: Domain): Plan | undefined {
  if (metadata === undefined) return undefined;
  const wanted = marksFor(mine, metadata);
  const confirmed = bearsPermission(metadata, wanted);
  // What a control plane says that may have gone back in time may be older than what the guest bears.
  if (bears(metadata, wanted) || (confirmed && mine.snapshot.hold === 'Doubt')) return undefined;
  const what = confirmed
    ? `It is noted with the guest what was granted for generation ${mine.granted.generation}.`
    : `The guest is there already; it now holds epoch ${wanted.epoch}.`;
  return act(mine.snapshot, { kind: 'Confirm', metadata: wanted, reason: what });
}

function planOnce({ snapshot, vm }: Mine): Plan | undefined {
  const due = dueOnce(vm, snapshot.memory.operation);
  if (due === undefined) return undefined;
  if (!snapshot.leaseValid)
    return {
      kind: 'Nothing',
      reason: 'Nothing is done while the Lease of this node is not renewed.',
      again: LEASE_RETRY_MS,
    };
  return act(snapshot, { kind: due.type, uid: due.uid, reason: `Operation ${due.name} asks for it.` });
}

function isConfirmed(mine: Mine, { metadata }: Domain): boolean {
  return metadata === undefined || bearsPermission(metadata, marksFor(mine, metadata));
}

function planPace(mine: Mine, domain: Domain): Plan {
  if (mine.granted.powerState === 'Hibernated')
    return planHibernated(mine, domain.powerState === 'Paused' ? 'Paused' : 'Running');
  if (mine.granted.powerState === 'Paused') return planPaused(mine, domain);
  if (domain.powerState === 'Paused') return planResumed(mine);
  if (leftToProve(mine.snapshot) > 0) return planOnce(mine) ?? reportRunning(mine);
  return planOnce(mine) ?? planLimits(mine) ?? reportRunning(mine);
}

function reportRunning(mine: Mine): Plan {
  const again = leftToProve(mine.snapshot);
  if (again > 0) return { kind: 'Nothing', reason: 'It crashed before; waiting whether it lives this time.', again };
  const cause = causeOfRunning(mine);
  return { kind: 'Report', report: { powerState: 'Running', ...(cause === undefined ? {} : { cause }) } };
}

/** How long a guest that we started again and again must still run until it is told to run. */
function leftToProve({ memory, now }: Snapshot): number {
  const { restarts, startedAt } = memory;
  if (restarts < 2 || startedAt === undefined) return 0;
  return startedAt + PROVE_ALIVE_MS - now;
}

/** Where it was told to have ended by itself, and we have started it again since. */
function causeOfRunning({ snapshot, vm }: Mine): string | undefined {
  const { self, memory } = snapshot;
  if (memory.restarts === 0 || !wasToldEnded(vm)) return undefined;
  const seconds = restartPause({ ...memory, restarts: memory.restarts - 1 }) / 1000;
  return `Started again on ${self.name} after a pause of ${seconds} s: restart ${memory.restarts} in a row.`;
}

function wasToldEnded({ status }: VirtualMachine): boolean {
  const told = currentInstance(status);
  if (told?.powerState === 'Starting') return status?.lastTermination?.time === told.since;
  return told?.powerState === 'Crashed' || told?.powerState === 'Missing';
}
