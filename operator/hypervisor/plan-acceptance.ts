// Whether a hypervisor may take part. Its first join waits for it; once accepted it stays so until a person says otherwise.
import { findCondition, type Statement } from '#crds/conditions.ts';
import type { Hypervisor } from '#crds/v1alpha1/hypervisor.ts';
import type { AcceptanceRule } from './acceptance.ts';

const type = 'Accepted';
/** The reason of a hypervisor that waits for a person. */
export const AWAITING = 'AwaitingAcceptance';

/** Pure. */
export function acceptanceOf(hypervisor: Hypervisor, rule: AcceptanceRule): Statement {
  const { accepted } = hypervisor.spec;
  return accepted === undefined ? byRule(hypervisor, rule) : byHand(accepted);
}

function byHand(accepted: boolean): Statement {
  if (accepted)
    return { type, status: 'True', reason: 'AcceptedByHand', message: 'An administrator accepted it (spec.accepted).' };
  const message =
    'An administrator rejected it (spec.accepted is false): no new VM is placed here. Those that run here stay.';
  return { type, status: 'False', reason: 'Rejected', message };
}

function byRule(hypervisor: Hypervisor, rule: AcceptanceRule): Statement {
  const before = acceptedBefore(hypervisor);
  if (before !== undefined) return before;
  const { name } = hypervisor.metadata;
  const allowed = rule.reasonFor(name);
  if (allowed !== undefined) return { type, status: 'True', reason: allowed.code, message: allowed.reason };
  const command = `kubectl patch uhv ${name} --type=merge --patch '{"spec":{"accepted":true}}'`;
  const message = `It has joined, and no VM is placed here before an administrator accepts it: ${command}`;
  return { type, status: 'False', reason: AWAITING, message };
}

/** A rule is for those that join: another one changes nothing for those that have. */
function acceptedBefore({ status }: Hypervisor): Statement | undefined {
  const said = findCondition(status?.conditions, type);
  if (said?.status !== 'True') return undefined;
  const { reason, message } = said;
  return { type, status: 'True', reason, message };
}
