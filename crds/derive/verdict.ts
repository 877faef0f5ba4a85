// What a VM's recorded facts amount to: the phase, and whether the observed state is the declared one. Both writers,
// operator and daemon, use this and nothing else, so that they can never disagree. docs/spec holds it as a table.
import { findCondition, isConditionFalse } from '#crds/conditions.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { InstanceState, Phase, VirtualMachineStatus } from '#crds/v1alpha1/virtual-machine-status.ts';
import { forceInWords, goneInWords, waitingInWords } from './deletion.ts';
import { currentInstance, epochIsOver } from './epoch.ts';
import { isSurelyHibernated } from './hibernated.ts';
import { byInstance } from './verdict-by-instance.ts';
import { type Facts, reconciling, settled, stalled, unreachable, type Verdict } from './verdict-facts.ts';
import { declaredHibernated } from './verdict-hibernated.ts';
import { migratingVerdict } from './verdict-migrating.ts';

// Reasons of Provisioned for which nothing can be done to the guest, whatever is asked, before a person has helped:
/** It bears the VM's uuid and nothing else of ours. */
export const NOT_OURS = 'NotOurs';
/** The hypervisor itself does not know whether it runs, and has not for a while. */
export const STATE_UNKNOWN = 'StateUnknown';
/** The hypervisor could not even pull its plug. */
export const STOP_FAILED = 'StopFailed';

/** It is off, and the hypervisor could not remove it. */
export const REMOVE_FAILED = 'RemoveFailed';

/** It is to be let go, and the hypervisor could not. */
export const RELEASE_FAILED = 'ReleaseFailed';
const obstacles: ReadonlySet<string> = new Set([NOT_OURS, STATE_UNKNOWN, STOP_FAILED, REMOVE_FAILED, RELEASE_FAILED]);

/** Condition: its time is over, or (False) will be soon. */
export const EXPIRED = 'Expired';

type Check = (facts: Facts) => Verdict | undefined;

/** Read as a checklist: the first that answers wins. */
const checks: readonly Check[] = [
  terminating,
  lost,
  undecided,
  denied,
  migrating,
  declaredStopped,
  declaredHibernated,
  notPlaced,
  obstructed,
  byInstance,
];

/** Pure and total. `status` is the VM's status as it is about to be written. */
export function verdictOf(vm: VirtualMachine, status: VirtualMachineStatus): Verdict {
  const hypervisor = status.placement?.hypervisor ?? '';
  const facts: Facts = { vm, status, instance: currentInstance(status), hypervisor };
  for (const check of checks) {
    const verdict = check(facts);
    if (verdict !== undefined) return unlessUndecided(verdict, facts);
  }
  return reconciling('Pending', 'Pending', 'Waiting for the operator to decide.');
}

/** What was observed is what an earlier generation declared: that is no readiness. */
function unlessUndecided(verdict: Verdict, { vm, status }: Facts): Verdict {
  const decided = status.granted?.generation ?? 0;
  if (!verdict.ready || decided >= (vm.metadata.generation ?? 0)) return verdict;
  return reconciling(verdict.phase, 'Deciding', 'The spec changed; waiting for the operator to decide.');
}

/** Why the daemon can do nothing to the guest whatever is asked. */
function obstacleTo({ status, instance }: Facts): { reason: string; message: string } | undefined {
  const provisioned = findCondition(status.conditions, 'Provisioned');
  return instance !== undefined && obstacles.has(provisioned?.reason ?? '') ? provisioned : undefined;
}

function terminating(facts: Facts): Verdict | undefined {
  const { vm, status, hypervisor } = facts;
  if (vm.metadata.deletionTimestamp === undefined) return undefined;
  if (status.placement === undefined)
    return reconciling('Terminating', 'Terminating', 'Nothing was started: removing the record.');
  if (facts.instance?.powerState === 'Absent')
    return reconciling('Terminating', 'Terminating', `The guest ${goneInWords(vm)}: removing the record.`);
  const silence = unreachable(status);
  const how = forceInWords(vm, hypervisor);
  if (silence !== undefined) {
    const why = `Cannot be removed before its guest is known to be gone. ${silence} ${how}`;
    return stalled('Terminating', 'HypervisorUnreachable', why);
  }
  const obstacle = obstacleTo(facts);
  if (obstacle !== undefined) return stalled('Terminating', obstacle.reason, `${obstacle.message} ${how}`);
  return reconciling('Terminating', 'Terminating', waitingInWords(vm, hypervisor));
}

function lost({ status }: Facts): Verdict | undefined {
  if (epochIsOver(status) || isSurelyHibernated(status)) return undefined;
  const silence = unreachable(status);
  return silence === undefined ? undefined : stalled('Lost', 'Lost', silence);
}

function undecided({ status }: Facts): Verdict | undefined {
  if (status.granted !== undefined || isConditionFalse(status.conditions, 'Authorized')) return undefined;
  return reconciling('Pending', 'Pending', 'Waiting for the operator to decide.');
}

function denied({ status, instance }: Facts): Verdict | undefined {
  const authorized = findCondition(status.conditions, 'Authorized');
  if (authorized?.status !== 'False') return undefined;
  const { powerState } = instance ?? {};
  const phase = powerState === 'Running' || powerState === 'Paused' ? powerState : 'Pending';
  return stalled(phase, authorized.reason, authorized.message);
}

function migrating(facts: Facts): Verdict | undefined {
  const { status, instance } = facts;
  return migratingVerdict(status, instance?.powerState === 'Running' ? byInstance(facts) : undefined);
}

function declaredStopped(facts: Facts): Verdict | undefined {
  const { status, instance, hypervisor } = facts;
  if (status.granted?.powerState !== 'Stopped') return undefined;
  if (epochIsOver(status)) return expired(facts) ?? settled('Stopped', 'Stopped', 'Stopped, as declared.');
  const obstacle = obstacleTo(facts);
  if (obstacle !== undefined) return stalled('Stopping', obstacle.reason, obstacle.message);
  const seen = instance === undefined ? 'has not reported yet' : `reports the guest ${instance.powerState}`;
  const why = expired(facts) === undefined ? '' : 'Its time is over (spec.expirationTime). ';
  return reconciling('Stopping', 'Stopping', `${why}Waiting for ${hypervisor} to stop the guest; it ${seen}.`);
}

/** Declared to run, and granted no more. */
function expired({ vm, status }: Facts): Verdict | undefined {
  const over = findCondition(status.conditions, EXPIRED);
  if (vm.spec.powerState === 'Stopped' || over?.status !== 'True') return undefined;
  return stalled('Stopped', EXPIRED, over.message);
}

function notPlaced({ status, instance }: Facts): Verdict | undefined {
  if (!epochIsOver(status)) return undefined;
  const placed = findCondition(status.conditions, 'Placed');
  if (placed?.status === 'False') return reconciling('Scheduling', placed.reason, placed.message);
  if (instance?.powerState === 'Stopped') return undefined;
  if (instance?.powerState !== 'Refused')
    return reconciling('Scheduling', 'Scheduling', 'Waiting for a hypervisor to be chosen.');
  const refusal = findCondition(status.conditions, 'Provisioned')?.message ?? 'The hypervisor refused the guest.';
  return reconciling('Scheduling', 'Refused', `${refusal} Another hypervisor is looked for.`);
}

/** It goes by what was seen last, and is not Ready: that may no longer be so, or be so of another guest. */
function obstructed(facts: Facts): Verdict | undefined {
  const obstacle = obstacleTo(facts);
  const phase = phaseAsSeen[facts.instance?.powerState ?? 'Absent'];
  if (phase === undefined || (obstacle?.reason !== STATE_UNKNOWN && obstacle?.reason !== NOT_OURS)) return undefined;
  return stalled(phase, obstacle.reason, obstacle.message);
}

const phaseAsSeen: Readonly<Partial<Record<InstanceState, Phase>>> = {
  Starting: 'Starting',
  Running: 'Running',
  Paused: 'Paused',
  Stopping: 'Stopping',
};
