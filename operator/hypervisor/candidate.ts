// A Hypervisor object and what is heard of it, as placement sees it.
import { type Amount, amountOf, NO_AMOUNT } from '#crds/amount.ts';
import { findCondition, isConditionTrue } from '#crds/conditions.ts';
import type { Hypervisor } from '#crds/v1alpha1/hypervisor.ts';
import type { Candidate, Reachability } from '#operator/placement/candidate.ts';

/** `assigned` is what VMs hold there; `silentSince` is undefined while its daemon is heard. */
export function candidateOf(hypervisor: Hypervisor, silentSince: string | undefined, assigned: Amount): Candidate {
  const { metadata, spec, status } = hypervisor;
  return {
    name: metadata.name,
    uid: metadata.uid,
    labels: metadata.labels ?? {},
    accepted: isConditionTrue(status?.conditions, 'Accepted'),
    unschedulable: spec.unschedulable ?? false,
    reachable: reachability(hypervisor, silentSince),
    allocatable: status?.allocatable === undefined ? NO_AMOUNT : amountOf(status.allocatable),
    assigned,
  };
}

function reachability({ metadata, status }: Hypervisor, silentSince: string | undefined): Reachability {
  if (silentSince !== undefined) {
    return { yes: false, code: 'Silent', why: `The daemon of ${metadata.name} has been silent since ${silentSince}.` };
  }
  const driver = findCondition(status?.conditions, 'DriverConnected');
  if (driver?.status === 'False') {
    return {
      yes: false,
      code: 'DriverDisconnected',
      why: `The daemon of ${metadata.name} cannot reach its hypervisor since ${driver.lastTransitionTime}.`,
    };
  }
  return { yes: true };
}
