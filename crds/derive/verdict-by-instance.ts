// What a daemon's report amounts to, of a VM that is to run, or to stand still.

import { findCondition } from '#crds/conditions.ts';
import type { Instance, Phase, VirtualMachineStatus } from '#crds/v1alpha1/virtual-machine-status.ts';
import { ADOPTION_EPOCH } from './adoption.ts';
import { wasDeclaredPaused } from './declared-pause.ts';
import { startsAgain } from './starts-again.ts';
import {
  ended,
  type Facts,
  GUARANTEES_NOT_KEPT,
  reconciling,
  settled,
  stalled,
  type Verdict,
} from './verdict-facts.ts';

/** Undefined where the report says nothing of a guest. */
export function byInstance(facts: Facts): Verdict | undefined {
  const { instance, hypervisor, status } = facts;
  const granted = status.granted?.powerState;
  switch (instance?.powerState) {
    case undefined:
    case 'Starting':
      return starting(facts);
    case 'Running':
      return granted === 'Paused' ? changing('Running', 'Pausing', facts) : asDeclared('Running', facts);
    case 'Paused':
      return granted === 'Paused' ? asDeclared('Paused', facts) : paused(facts);
    case 'Hibernated':
      return granted === 'Hibernated' ? asDeclared('Hibernated', facts) : restoring(facts);
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
  if (status.managed?.origin === 'Adopted' && status.placement?.epoch === ADOPTION_EPOCH)
    return reconciling('Starting', 'Adopting', `${hypervisor} notes whose the guest is, and leaves it as it is.`);
  return reconciling('Starting', 'Starting', `${hypervisor} is starting the guest.`);
}

/** It was declared so in the meantime. */
function changing(phase: Phase, reason: 'Pausing' | 'Resuming', { status, hypervisor }: Facts): Verdict {
  const provisioned = findCondition(status.conditions, 'Provisioned');
  if (provisioned?.status === 'False') return reconciling(phase, provisioned.reason, provisioned.message);
  return reconciling(phase, reason, `Waiting for ${hypervisor} to ${doing[reason]} the guest.`);
}

const doing = { Pausing: 'pause', Resuming: 'resume' } as const;

/** Though it shall run. */
function paused(facts: Facts): Verdict {
  if (wasDeclaredPaused(facts.status)) return changing('Paused', 'Resuming', facts);
  const what = `The guest was paused on ${facts.hypervisor}; Usher did not do it.`;
  return stalled('Paused', 'PausedOnHost', `${what} Resume it there, for example with virsh resume.`);
}

/** It shall run again, and that was granted. */
function restoring({ status, hypervisor }: Facts): Verdict {
  const provisioned = findCondition(status.conditions, 'Provisioned');
  if (provisioned?.status === 'False') return reconciling('Hibernated', provisioned.reason, provisioned.message);
  return reconciling('Starting', 'Restoring', `${hypervisor} lets the guest go on from the memory that it kept.`);
}

function asDeclared(phase: keyof typeof asDeclaredInWords, { status, instance, hypervisor }: Facts): Verdict {
  const pending = pendingInWords(status);
  const resize = findCondition(status.conditions, 'ResizePending');
  if (resize?.status === 'True') return reconciling(phase, resize.reason, [resize.message, ...pending].join(' '));
  const provisioned = findCondition(status.conditions, 'Provisioned');
  if (provisioned?.reason === GUARANTEES_NOT_KEPT)
    return stalled(phase, provisioned.reason, [provisioned.message, ...pending].join(' '));
  const [message] = pending;
  if (message !== undefined) return { phase, ready: false, progress: 'Settled', reason: 'RestartRequired', message };
  if (!isTakenUp(status, instance))
    return reconciling(phase, 'Applying', `Waiting for ${hypervisor} to take up the changed spec.`);
  return settled(phase, phase, asDeclaredInWords[phase](hypervisor));
}

const asDeclaredInWords = {
  Running: (hypervisor: string) => `Running on ${hypervisor}.`,
  Paused: (hypervisor: string) => `Paused on ${hypervisor}, as declared.`,
  Hibernated: (hypervisor: string) =>
    `Hibernated, as declared: ${hypervisor} keeps its memory on disk; it holds no CPUs and no memory there.`,
} as const;

/** Of one generation more may be granted later, which is another decision. */
function isTakenUp({ granted }: VirtualMachineStatus, instance: Instance | undefined): boolean {
  if (granted === undefined) return true;
  if (instance?.decisionID !== undefined) return instance.decisionID === granted.decisionID;
  return (instance?.generation ?? 0) >= granted.generation;
}

function pendingInWords({ pendingChanges = [], granted }: VirtualMachineStatus): string[] {
  if (pendingChanges.length === 0) return [];
  const fields = pendingChanges.map((change) => change.field).join(', ');
  const back = granted?.powerState === 'Paused' ? 'Paused' : 'Running';
  const how = `To apply: set spec.powerState to Stopped and, once it is Stopped, back to ${back}.`;
  return [`Changed, but not in effect before a restart: ${fields}. ${how}`];
}

/** Set back before it was seen it would be no change. */
const HOW_TO_START =
  'To start it again set spec.powerState to Stopped, wait until it is Ready (Stopped), and set it back to Running.';

const WHEN_MOVED =
  'Move it back with virsh migrate; or make sure that it does not run there, set spec.powerState to Stopped, wait until it is Ready (Stopped), and set it back to Running.';

function missing({ vm, status, hypervisor }: Facts): Verdict {
  const what = ended(status, `The guest is gone from ${hypervisor} though Usher did not remove it.`);
  if (status.lastTermination?.reason === 'MovedAway')
    return stalled('Missing', 'Missing', `${what} It is not started here, whatever spec.recovery says. ${WHEN_MOVED}`);
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
