// The one place where the operator turns what it planned into a VM's next status.
import { setCondition } from '#crds/conditions.ts';
import { deriveStatus } from '#crds/derive/derive-status.ts';
import { signedPayload } from '#crds/derive/signed-payload.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type {
  Decision,
  Granted,
  PlacementStatus,
  VirtualMachineStatus,
} from '#crds/v1alpha1/virtual-machine-status.ts';
import type { Action } from './plan.ts';

const DECISIONS_KEPT = 16;
const DECIDED_BY = 'default';

/** Signs text, giving base64. */
export type Sign = (payload: string) => string;

interface Writing {
  readonly vm: VirtualMachine;
  readonly sign: Sign;
  /** RFC 3339. */
  readonly time: string;
}

/** The status after these actions, complete with everything that follows from it. */
export function statusAfter(actions: readonly Action[], writing: Writing): VirtualMachineStatus {
  const { vm, time } = writing;
  const next = actions.reduce((status, action) => folded(status, action, writing), vm.status ?? {});
  return deriveStatus(vm, next, time);
}

function folded(status: VirtualMachineStatus, action: Action, writing: Writing): VirtualMachineStatus {
  switch (action.kind) {
    case 'Grant':
      return granted(status, action, writing);
    case 'Place':
      return placed(status, action, writing);
    case 'CannotPlace':
      return withCondition(status, { type: 'Placed', holds: false, code: action.code, reason: action.reason }, writing);
    case 'MarkReachable': {
      const { reachable: holds, code, reason } = action;
      return withCondition(status, { type: 'HypervisorReachable', holds, code, reason }, writing);
    }
    case 'ShowDeletion':
    case 'Finalize':
      return status;
  }
}

function granted(status: VirtualMachineStatus, action: Extract<Action, { kind: 'Grant' }>, writing: Writing) {
  const decision: Decision = {
    event: action.granted.powerState === 'Running' ? 'vm.start.request' : 'vm.shutdown.request',
    policy: DECIDED_BY,
    verdict: 'Allow',
    reason: action.reason,
    time: writing.time,
  };
  const next: VirtualMachineStatus = {
    ...status,
    observedGeneration: action.granted.generation,
    granted: action.granted,
    decisions: remembered(status.decisions, decision),
    managed: status.managed ?? { origin: 'Created' },
    ...(status.placement === undefined
      ? {}
      : { placement: { ...status.placement, signature: signed(action.granted, status.placement, writing) } }),
  };
  return withCondition(next, { type: 'Authorized', holds: true, code: 'Allowed', reason: action.reason }, writing);
}

/** What is signed holds what was granted, so each grant is signed anew for whoever holds the permission. */
function signed(
  granted: Granted,
  holder: Pick<PlacementStatus, 'hypervisor' | 'hypervisorUID' | 'epoch'>,
  { vm, sign }: Writing,
): string {
  return sign(signedPayload(vm, granted, holder));
}

/** The last verdict per event and policy. */
function remembered(decisions: readonly Decision[] | undefined, decision: Decision): Decision[] {
  const others = (decisions ?? []).filter(
    ({ event, policy }) => event !== decision.event || policy !== decision.policy,
  );
  return [...others, decision].slice(-DECISIONS_KEPT);
}

function placed(status: VirtualMachineStatus, action: Extract<Action, { kind: 'Place' }>, writing: Writing) {
  if (status.granted === undefined) throw new Error('placed without a grant: the plan must grant first');
  const { hypervisor, hypervisorUID, epoch, reason } = action;
  const holder = { hypervisor, hypervisorUID, epoch };
  const signature = signed(status.granted, holder, writing);
  const next: VirtualMachineStatus = {
    ...status,
    placement: { ...holder, decidedBy: DECIDED_BY, reason, time: writing.time, signature },
  };
  const where = withCondition(next, { type: 'Placed', holds: true, code: 'Placed', reason }, writing);
  const heard = `${hypervisor} is heard.`;
  return withCondition(where, { type: 'HypervisorReachable', holds: true, code: 'Reachable', reason: heard }, writing);
}

interface Told {
  readonly type: 'Authorized' | 'Placed' | 'HypervisorReachable';
  readonly holds: boolean;
  readonly code: string;
  readonly reason: string;
}

function withCondition(status: VirtualMachineStatus, told: Told, { vm, time }: Writing): VirtualMachineStatus {
  const { type, holds, code, reason } = told;
  const observedGeneration = vm.metadata.generation ?? 0;
  const input = { type, status: holds ? 'True' : 'False', reason: code, message: reason, observedGeneration } as const;
  return { ...status, conditions: [...setCondition(status.conditions, input, time)] };
}
