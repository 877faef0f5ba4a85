// What it amounts to that a guest is declared Hibernated.
import { findCondition, isConditionTrue } from '#crds/conditions.ts';
import type { InstanceState, Phase } from '#crds/v1alpha1/virtual-machine-status.ts';
import { epochIsOver } from './epoch.ts';
import { RESTORE_PENDING } from './hibernated.ts';
import { ended, type Facts, reconciling, settled, stalled, unreachable, type Verdict } from './verdict-facts.ts';

/** Undefined where it is not, or where its report says enough. */
export function declaredHibernated(facts: Facts): Verdict | undefined {
  const { status, instance } = facts;
  if (status.granted?.powerState !== 'Hibernated') return undefined;
  if (epochIsOver(status)) return nothingToHibernate(facts);
  if (instance?.powerState === 'Hibernated') return notAsDeclared(facts);
  return instance?.powerState === 'Missing' ? undefined : hibernating(facts);
}

function nothingToHibernate({ status, vm }: Facts): Verdict {
  const wasUp = status.lastTermination !== undefined ? `${ended(status, 'The guest ended.')} ` : '';
  const back = vm.spec.powerState === 'Hibernated' ? 'Declared Running it boots.' : 'It boots when that is decided.';
  return settled('Stopped', 'NothingToHibernate', `${wasUp}It is off, so there is nothing to hibernate. ${back}`);
}

/** Undefined where it is. */
function notAsDeclared({ status, hypervisor }: Facts): Verdict | undefined {
  const silence = unreachable(status);
  const { reason, message } = findCondition(status.conditions, RESTORE_PENDING) ?? { reason: '', message: '' };
  if (isConditionTrue(status.conditions, RESTORE_PENDING)) return reconciling('Hibernated', reason, message);
  if (silence === undefined) return undefined;
  const choice = `It goes on from its memory when ${hypervisor} is heard again. ${howToBootAnew()}`;
  return stalled('Hibernated', 'HypervisorUnreachable', `${silence} ${choice}`);
}

/** What a person can choose who does not want to wait for the memory that was kept. */
export function howToBootAnew(): string {
  return (
    'To boot it anew instead, without what it had in its memory, set spec.powerState to Stopped and, once it is Stopped, ' +
    'to Running.'
  );
}

function hibernating({ status, instance, hypervisor }: Facts): Verdict {
  const phase = phaseAsSeen[instance?.powerState ?? 'Starting'] ?? 'Stopping';
  const provisioned = findCondition(status.conditions, 'Provisioned');
  if (provisioned?.status === 'False' && instance !== undefined)
    return reconciling(phase, provisioned.reason, provisioned.message);
  return reconciling(phase, 'Hibernating', `Waiting for ${hypervisor} to write the memory of the guest to its disk.`);
}

const phaseAsSeen: Readonly<Partial<Record<InstanceState, Phase>>> = {
  Starting: 'Starting',
  Running: 'Running',
  Paused: 'Paused',
  Crashed: 'Failed',
};
