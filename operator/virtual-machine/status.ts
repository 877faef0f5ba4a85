// The one place where the operator turns what it planned into a VM's next status.
import { removeCondition, setCondition } from '#crds/conditions.ts';
import { deriveStatus } from '#crds/derive/derive-status.ts';
import { currentInstance, epochIsOver } from '#crds/derive/epoch.ts';
import { mayBeThere, RESTORE_PENDING } from '#crds/derive/hibernated.ts';
import { signedPayload } from '#crds/derive/signed-payload.ts';
import { EXPIRED } from '#crds/derive/verdict.ts';
import { isSameResources } from '#crds/resources.ts';
import type { Condition } from '#crds/v1alpha1/fragments.ts';
import { limits } from '#crds/v1alpha1/limits.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type {
  Decision,
  Granted,
  PlacementStatus,
  VirtualMachineStatus,
} from '#crds/v1alpha1/virtual-machine-status.ts';
import { migrationAfter } from '#operator/migration/status.ts';
import type { Action } from './actions.ts';
import { heardInWords } from './plan-reachability.ts';

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

/** Its guest is there, and stays: no other hypervisor could take it. */
function recovered(status: VirtualMachineStatus, action: Extract<Action, { kind: 'Recover' }>, writing: Writing) {
  const next = placed(status, { ...action, alternatives: 0 }, writing);
  return { ...next, managed: { origin: action.origin } } satisfies VirtualMachineStatus;
}

function abandoned(status: VirtualMachineStatus): VirtualMachineStatus {
  if (status.placement === undefined) return status;
  return { ...status, placement: { ...status.placement, abandoned: true } };
}

/** The conditions that tell of what cannot be done. */
const obstacles = {
  CannotPlace: { type: 'Placed', holds: false },
  CannotGrow: { type: 'ResizePending', holds: true },
  CannotRestore: { type: RESTORE_PENDING, holds: true },
} as const;

function folded(status: VirtualMachineStatus, action: Action, writing: Writing): VirtualMachineStatus {
  switch (action.kind) {
    case 'Grant':
      return granted(status, action, writing);
    case 'Place':
      return placed(status, action, writing);
    case 'Recover':
      return recovered(status, action, writing);
    case 'CannotPlace':
    case 'CannotGrow':
    case 'CannotRestore':
      return withCondition(status, { ...obstacles[action.kind], code: action.code, reason: action.reason }, writing);
    case 'Abandon':
      return abandoned(status);
    case 'MarkExpiry':
      return expiryTold(status, action, writing);
    case 'MarkReachable': {
      const { reachable: holds, code, reason } = action;
      return withCondition(status, { type: 'HypervisorReachable', holds, code, reason }, writing);
    }
    case 'Ask':
      return asked(status, action, writing);
    case 'Withdraw':
      return withdrawn(status);
    case 'Refuse':
      return refused(status, action);
    case 'StartMigration':
    case 'AbortMigration':
    case 'EndMigration':
    case 'Arrive':
      return migrated(status, action, writing);
    case 'Bind':
    case 'RestoreSpec':
    case 'ShowDeletion':
    case 'Finalize':
      return status;
  }
}

function granted(status: VirtualMachineStatus, action: Extract<Action, { kind: 'Grant' }>, writing: Writing) {
  const decision: Decision = {
    event: eventOf(action, status),
    policy: DECIDED_BY,
    verdict: action.verdict,
    reason: action.reason.slice(0, limits.sentence),
    generation: action.granted.generation,
    time: writing.time,
  };
  const next: VirtualMachineStatus = {
    ...status,
    observedGeneration: action.granted.generation,
    granted: { ...action.granted, ...carried(status) },
    decisions: remembered(status.decisions, decision),
    managed: status.managed ?? { origin: 'Created' },
    ...(status.placement === undefined
      ? {}
      : { placement: heldBy(status.placement, action.granted, { status, writing }) }),
    conditions: stillSo(status.conditions, action.granted.generation),
  };
  const code = action.verdict === 'Allow' ? 'Allowed' : 'AllowedInPart';
  const told = withCondition(next, { type: 'Authorized', holds: true, code, reason: action.reason }, writing);
  return { ...told, conditions: [...withoutSettled(told.conditions, action, writing)] };
}

/** Of what was pending that which is granted by this. */
function withoutSettled(
  conditions: readonly Condition[] | undefined,
  { granted: { resources }, verdict }: Extract<Action, { kind: 'Grant' }>,
  { vm }: Writing,
): readonly Condition[] {
  const rest = verdict === 'Defer' ? conditions : removeCondition(conditions, RESTORE_PENDING);
  return isSameResources(resources, vm.spec.resources) ? removeCondition(rest, 'ResizePending') : (rest ?? []);
}

/** Whoever holds the permission, with what it may do now and what it was allowed before. */
function heldBy(
  holder: PlacementStatus,
  next: Granted,
  { status, writing }: { readonly status: VirtualMachineStatus; readonly writing: Writing },
): PlacementStatus {
  const allowed = [next, status.granted].find((one) => mayBeThere(one?.powerState));
  const runnableGeneration = allowed?.generation ?? holder.runnableGeneration;
  return {
    ...holder,
    ...(runnableGeneration === undefined ? {} : { runnableGeneration }),
    signature: signed(next, holder, writing),
  };
}

/** What an operation asked of the guest stays asked, whatever becomes of the spec: it ends with its epoch. */
function carried({ granted: before }: VirtualMachineStatus): Pick<Granted, 'operation'> {
  return before?.operation === undefined ? {} : { operation: before.operation };
}

function asked(
  status: VirtualMachineStatus,
  { operation, reason }: Extract<Action, { kind: 'Ask' }>,
  { vm, time }: Writing,
): VirtualMachineStatus {
  if (status.granted === undefined) throw new Error('asked without a grant: the plan must grant first');
  const event = `vm.${operation.type.toLowerCase()}.request`;
  const generation = vm.metadata.generation ?? 0;
  const decision: Decision = { event, policy: DECIDED_BY, verdict: 'Allow', reason, generation, time };
  return { ...status, granted: { ...status.granted, operation }, decisions: remembered(status.decisions, decision) };
}

/** Nobody has begun it: where the daemon has, this write is refused. */
function withdrawn(status: VirtualMachineStatus): VirtualMachineStatus {
  if (status.granted === undefined) return status;
  const { operation: _withdrawn, ...granted } = status.granted;
  return { ...status, granted };
}

function refused(status: VirtualMachineStatus, { reason }: Extract<Action, { kind: 'Refuse' }>): VirtualMachineStatus {
  const { granted: before } = status;
  if (before?.operation === undefined) return status;
  const operation = { ...before.operation, refused: reason.slice(0, limits.sentence) };
  return { ...status, granted: { ...before, operation } };
}

function expiryTold(
  status: VirtualMachineStatus,
  { expired }: Extract<Action, { kind: 'MarkExpiry' }>,
  writing: Writing,
): VirtualMachineStatus {
  if (expired === undefined) return { ...status, conditions: [...removeCondition(status.conditions, EXPIRED)] };
  const { code, reason } = expired;
  return withCondition(status, { type: EXPIRED, holds: expired.status === 'True', code, reason }, writing);
}

/** A guest that was declared to stand still has a process, and one that is hibernated its memory: to run they go on. */
function eventOf({ granted: next, verdict }: Extract<Action, { kind: 'Grant' }>, status: VirtualMachineStatus): string {
  if (verdict === 'Defer') return 'vm.restore.request';
  switch (next.powerState) {
    case 'Running':
      if (currentInstance(status)?.powerState === 'Hibernated' && !epochIsOver(status)) return 'vm.restore.request';
      return status.granted?.powerState === 'Paused' ? 'vm.resume.request' : 'vm.start.request';
    case 'Hibernated':
      return 'vm.hibernate.request';
    case 'Paused':
      return 'vm.pause.request';
    case 'Stopped':
      return 'vm.shutdown.request';
  }
}

type OfMigration = Extract<Action, { kind: 'StartMigration' | 'AbortMigration' | 'EndMigration' | 'Arrive' }>;

function migrated(status: VirtualMachineStatus, action: OfMigration, writing: Writing): VirtualMachineStatus {
  const { time } = writing;
  const next = { ...status, migration: migrationAfter(status.migration, action, time) };
  if (action.kind === 'Arrive') return arrived(next, action, writing);
  if (action.kind !== 'StartMigration') return next;
  const decision: Decision = {
    event: 'vm.migrate.request',
    policy: DECIDED_BY,
    verdict: 'Allow',
    reason: action.reason.slice(0, limits.sentence),
    generation: status.granted?.generation ?? 0,
    time,
  };
  return { ...next, decisions: remembered(status.decisions, decision) };
}

/** Whoever has the guest gets the permission: the epoch rises, though the one before was never given back. */
function arrived(status: VirtualMachineStatus, action: Extract<Action, { kind: 'Arrive' }>, writing: Writing) {
  const { target: hypervisor, targetUID: hypervisorUID, epoch } = action.plan;
  return placed(status, { hypervisor, hypervisorUID, epoch, alternatives: 0, reason: action.reason }, writing);
}

/**
 * What the operator said of an earlier generation, and would say again of this one: who waits for a condition of the
 * newest generation must not wait for ever.
 */
function stillSo(conditions: readonly Condition[] = [], observedGeneration: number): Condition[] {
  const ours = ['Placed', 'HypervisorReachable', EXPIRED];
  return conditions.map((said) => (ours.includes(said.type) ? { ...said, observedGeneration } : said));
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
  return [...others, decision].slice(-limits.decisions);
}

function placed(
  status: VirtualMachineStatus,
  action: Omit<Extract<Action, { kind: 'Place' }>, 'kind'>,
  writing: Writing,
) {
  if (status.granted === undefined) throw new Error('placed without a grant: the plan must grant first');
  const { hypervisor, hypervisorUID, epoch, alternatives, proof, reason } = action;
  const holder = { hypervisor, hypervisorUID, epoch };
  const signature = signed(status.granted, holder, writing);
  const next: VirtualMachineStatus = {
    ...status,
    placement: {
      ...holder,
      runnableGeneration: status.granted.generation,
      alternatives,
      decidedBy: DECIDED_BY,
      reason,
      time: writing.time,
      ...(proof && { proof }),
      signature,
    },
  };
  const where = withCondition(next, { type: 'Placed', holds: true, code: 'Placed', reason }, writing);
  return withCondition(
    where,
    { type: 'HypervisorReachable', holds: true, code: 'Reachable', reason: heardInWords(hypervisor) },
    writing,
  );
}

interface Told {
  readonly type:
    | 'Authorized'
    | 'Placed'
    | 'HypervisorReachable'
    | 'ResizePending'
    | typeof RESTORE_PENDING
    | typeof EXPIRED;
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
