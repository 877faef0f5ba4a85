// What a VM's recorded facts amount to: the phase, and whether the observed state is the declared one. Both writers,
// operator and daemon, use this and nothing else, so that they can never disagree. docs/spec holds it as a table.
import { findCondition, isConditionFalse } from '#crds/conditions.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { Instance, InstanceState, Phase, VirtualMachineStatus } from '#crds/v1alpha1/virtual-machine-status.ts';
import { forceInWords, waitingInWords } from './deletion.ts';
import { currentInstance, epochIsOver } from './epoch.ts';
import { startsAgain } from './starts-again.ts';

/** Settled: nothing will happen unasked. Reconciling: somebody is at it. Stalled: it needs a person. */
export type Progress = 'Settled' | 'Reconciling' | 'Stalled';

export interface Verdict {
  readonly phase: Phase;
  readonly ready: boolean;
  readonly progress: Progress;
  readonly reason: string;
  readonly message: string;
}

interface Facts {
  readonly vm: VirtualMachine;
  readonly status: VirtualMachineStatus;
  readonly instance: Instance | undefined;
  readonly hypervisor: string;
}

// Reasons of Provisioned for which nothing can be done to the guest, whatever is asked, before a person has helped:
/** It bears the VM's uuid and nothing else of ours. */
export const NOT_OURS = 'NotOurs';
/** The hypervisor itself does not know whether it runs, and has not for a while. */
export const STATE_UNKNOWN = 'StateUnknown';
/** The hypervisor could not even pull its plug. */
export const STOP_FAILED = 'StopFailed';

/** It is off, and the hypervisor could not remove it. */
export const REMOVE_FAILED = 'RemoveFailed';

const obstacles: ReadonlySet<string> = new Set([NOT_OURS, STATE_UNKNOWN, STOP_FAILED, REMOVE_FAILED]);

/** Condition: its time is over, or (False) will be soon. */
export const EXPIRED = 'Expired';

type Check = (facts: Facts) => Verdict | undefined;

/** Read as a checklist: the first that answers wins. */
const checks: readonly Check[] = [
  terminating,
  lost,
  undecided,
  denied,
  declaredStopped,
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

function reconciling(phase: Phase, reason: string, message: string): Verdict {
  return { phase, ready: false, progress: 'Reconciling', reason, message };
}

function stalled(phase: Phase, reason: string, message: string): Verdict {
  return { phase, ready: false, progress: 'Stalled', reason, message };
}

function settled(phase: Phase, reason: string, message: string): Verdict {
  return { phase, ready: true, progress: 'Settled', reason, message };
}

function unreachable(status: VirtualMachineStatus): string | undefined {
  if (!isConditionFalse(status.conditions, 'HypervisorReachable')) return undefined;
  return findCondition(status.conditions, 'HypervisorReachable')?.message;
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
    return reconciling('Terminating', 'Terminating', 'The guest is gone: removing the record.');
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
  if (epochIsOver(status)) return undefined;
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
  const phase = instance?.powerState === 'Running' ? 'Running' : 'Pending';
  return stalled(phase, authorized.reason, authorized.message);
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

function byInstance(facts: Facts): Verdict | undefined {
  const { instance, hypervisor } = facts;
  switch (instance?.powerState) {
    case undefined:
    case 'Starting':
      return starting(facts);
    case 'Running':
      return running(facts);
    case 'Paused':
      return stalled(
        'Paused',
        'PausedOnHost',
        `The guest was paused on ${hypervisor}; Usher did not do it. Resume it there, for example with virsh resume.`,
      );
    case 'Stopping':
      return reconciling('Stopping', 'Stopping', `The guest is shutting down on ${hypervisor}.`);
    case 'Crashed':
      return reconciling('Failed', 'Crashed', again(facts, 'The guest crashed.'));
    case 'Missing':
      return missing(facts);
    case 'Stopped':
      return stopped(facts);
    case 'Refused':
    case 'Absent':
      return undefined;
  }
}

function starting(facts: Facts): Verdict {
  const { status, instance, hypervisor } = facts;
  const provisioned = findCondition(status.conditions, 'Provisioned');
  const failed = provisioned?.status === 'False' && instance !== undefined;
  if (failed) return reconciling('Starting', provisioned.reason, provisioned.message);
  const afterAnEnd = instance !== undefined && status.lastTermination?.time === instance.since;
  if (afterAnEnd) return reconciling('Starting', 'Restarting', again(facts, 'The guest ended.'));
  return reconciling('Starting', 'Starting', `${hypervisor} is starting the guest.`);
}

function running({ status, instance, hypervisor }: Facts): Verdict {
  const pending = pendingInWords(status);
  const resize = findCondition(status.conditions, 'ResizePending');
  if (resize?.status === 'True') return reconciling('Running', resize.reason, [resize.message, ...pending].join(' '));
  const [message] = pending;
  if (message !== undefined)
    return { phase: 'Running', ready: false, progress: 'Settled', reason: 'RestartRequired', message };
  if (!isTakenUp(status, instance))
    return reconciling('Running', 'Applying', `Waiting for ${hypervisor} to take up the changed spec.`);
  return settled('Running', 'Running', `Running on ${hypervisor}.`);
}

/** Of one generation more may be granted later, which is another decision. */
function isTakenUp({ granted }: VirtualMachineStatus, instance: Instance | undefined): boolean {
  if (granted === undefined) return true;
  if (instance?.decisionID !== undefined) return instance.decisionID === granted.decisionID;
  return (instance?.generation ?? 0) >= granted.generation;
}

function pendingInWords({ pendingChanges = [] }: VirtualMachineStatus): string[] {
  if (pendingChanges.length === 0) return [];
  const fields = pendingChanges.map((change) => change.field).join(', ');
  const how = 'To apply: set spec.powerState to Stopped and, once it is Stopped, back to Running.';
  return [`Changed, but not in effect before a restart: ${fields}. ${how}`];
}

/** Set back before it was seen it would be no change. */
const HOW_TO_START =
  'To start it again set spec.powerState to Stopped, wait until it is Ready (Stopped), and set it back to Running.';

function missing({ vm, status, hypervisor }: Facts): Verdict {
  const what = ended(status, `The guest is gone from ${hypervisor} though Usher did not remove it.`);
  if (vm.spec.recovery.onMissing === 'Recreate')
    return reconciling('Missing', 'Missing', `${what} It will be created again there.`);
  const held = 'Nothing is done unasked (spec.recovery.onMissing is Hold).';
  return stalled('Missing', 'Missing', `${what} ${held} ${HOW_TO_START} Or set spec.recovery.onMissing to Recreate.`);
}

function stopped(facts: Facts): Verdict {
  const { vm, status } = facts;
  const policy = vm.spec.restartPolicy;
  const reason = status.lastTermination?.reason;
  if (startsAgain(policy, reason)) return reconciling('Stopped', 'Restarting', again(facts, 'The guest ended.'));
  const what = `${ended(status, 'The guest ended.')} restartPolicy ${policy} leaves it so.`;
  if (reason !== 'StoppedByGuest') return stalled('Failed', reason ?? 'Unknown', `${what} ${HOW_TO_START}`);
  if (policy === 'Never') return settled('Stopped', 'Completed', what);
  return stalled('Stopped', 'StoppedByGuest', `${what} ${HOW_TO_START}`);
}

function again({ vm, status }: Facts, otherwise: string): string {
  const asked = status.lastTermination?.initiator === 'User';
  const why = asked ? 'spec.powerState is Running' : `restartPolicy ${vm.spec.restartPolicy}`;
  return `${ended(status, otherwise)} It will be started again (${why}).`;
}

function ended(status: VirtualMachineStatus, otherwise: string): string {
  const message = status.lastTermination?.message ?? '';
  return message === '' ? otherwise : message;
}
