// The one place where the daemon turns what it planned to tell into a VM's next status.
import { isDeepStrictEqual } from 'node:util';
import { NOTHING_GUARANTEED } from '#crds/amount.ts';
import { findCondition, removeCondition, type Statement, setConditions } from '#crds/conditions.ts';
import { formatCpus } from '#crds/cpu-quantity.ts';
import { deriveStatus } from '#crds/derive/derive-status.ts';
import { isUpState } from '#crds/derive/instance-state.ts';
import { instanceUuid } from '#crds/derive/signed-payload.ts';
import { STATE_UNKNOWN } from '#crds/derive/verdict.ts';
import { formatQuantity } from '#crds/quantity.ts';
import { DEFAULT_CPU_SHARES, type Limits } from '#crds/resources.ts';
import type { Condition } from '#crds/v1alpha1/fragments.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { Resources } from '#crds/v1alpha1/virtual-machine-spec.ts';
import type {
  Instance,
  InstanceState,
  LastTermination,
  VirtualMachineStatus,
} from '#crds/v1alpha1/virtual-machine-status.ts';
import type { Domain } from '../hypervisor/driver.ts';
import { isEndMidway, type Report } from './actions.ts';
import { currentOperationAfter } from './current-operation.ts';
import { amountHeldBy, limitsBorneBy } from './held.ts';
import { isNewEnd } from './memory.ts';
import { migratable } from './migratable.ts';
import { pendingChanges } from './pending-changes.ts';
import { isToBeReleased } from './plan-release.ts';
import type { Snapshot } from './snapshot.ts';

interface Telling {
  readonly vm: VirtualMachine;
  readonly snapshot: Snapshot;
  /** RFC 3339. */
  readonly time: string;
}

const ownFields = ['instance', 'addresses', 'lastTermination', 'pendingChanges', 'currentOperation'] as const;
const ownConditions = ['Provisioned', 'PowerStateSynced', 'InstancePresent', 'Migratable', 'RestartRequired'] as const;

/** Whether the daemon itself has something new to tell, beyond what follows from a spec that changed. */
export function tellsNews(before: VirtualMachineStatus | undefined, after: VirtualMachineStatus): boolean {
  return (
    ownFields.some((field) => !isDeepStrictEqual(before?.[field], after[field])) ||
    ownConditions.some(
      (type) => !isDeepStrictEqual(findCondition(before?.conditions, type), findCondition(after.conditions, type)),
    )
  );
}

/** The status with this report in it, complete with everything that follows from it. */
export function statusAfter(report: Report, telling: Telling): VirtualMachineStatus {
  const { vm, time } = telling;
  const { status } = vm;
  const up = isUpState(report.powerState);
  const pending = up || report.powerState === 'Hibernated' ? pendingOf(telling) : [];
  const { addresses: _addresses, pendingChanges: _pending, usage, ...kept } = status ?? {};
  const next: VirtualMachineStatus = {
    ...kept,
    instance: instanceAfter(report, telling),
    ...(up && telling.snapshot.addresses.length > 0 ? { addresses: [...telling.snapshot.addresses] } : {}),
    ...(up && usage !== undefined ? { usage } : {}),
    ...(pending.length > 0 ? { pendingChanges: pending } : {}),
    ...terminationAfter(report, telling),
    ...operationAfter(report, telling),
    conditions: [...conditionsAfter(report, telling, pending.length > 0)],
  };
  return withCause(deriveStatus(vm, next, time), report, vm);
}

/** In the entry of `transitions` that was just made, if one was. */
function withCause(status: VirtualMachineStatus, { cause }: Report, vm: VirtualMachine): VirtualMachineStatus {
  const [newest, ...older] = (status.transitions ?? []).toReversed();
  const isNews = newest !== undefined && newest.seq !== vm.status?.transitions?.at(-1)?.seq;
  if (cause === undefined || !isNews || newest.type !== 'Running') return status;
  return { ...status, transitions: [...older.toReversed(), { ...newest, cause }] };
}

function instanceAfter({ powerState }: Report, { vm, snapshot, time }: Telling): Instance {
  const { placement, granted, instance: previous } = vm.status ?? {};
  const epoch = placement?.epoch ?? 0;
  const same = previous?.powerState === powerState && previous.epoch === epoch;
  return {
    epoch,
    generation: granted?.generation ?? 0,
    ...(granted === undefined ? {} : { decisionID: granted.decisionID }),
    powerState,
    ...partsOf(powerState, { vm, snapshot }),
    uuid: instanceUuid(vm),
    bootID: snapshot.self.bootID,
    since: same ? previous.since : time,
  };
}

/** Of what is there, and of what will be there when it goes on: that one has no process which a guard could end. */
function partsOf(
  powerState: InstanceState,
  { vm, snapshot }: Pick<Telling, 'vm' | 'snapshot'>,
): Pick<Instance, 'resources' | 'guarded'> {
  if (powerState === 'Hibernated') return resourcesOf(snapshot);
  return { ...(isUpState(powerState) ? resourcesOf(snapshot) : {}), ...guardedOf(vm, snapshot) };
}

/** Said only of one that may be started elsewhere, and only once the guard of this machine knows of it. */
function guardedOf({ spec }: VirtualMachine, { guarded }: Snapshot): Pick<Instance, 'guarded'> {
  return guarded && spec.recovery.onLost === 'Restart' ? { guarded } : {};
}

/** What the guest really has, or will have when it goes on: with a restart pending it is not what was granted. */
function resourcesOf({ domain, limits }: Snapshot): Pick<Instance, 'resources'> {
  if (domain.kind !== 'Present') return {};
  const { cpus, memoryBytes, guaranteed } = amountHeldBy(domain.domain);
  const shared = sharesOf(domain.domain, limits);
  return { resources: { cpus, memory: formatQuantity(memoryBytes), ...guarantees(guaranteed), ...shared } };
}

/** Until the guest bears another, what was guaranteed to it is nobody else's. */
function guarantees({
  cpuMillis,
  memoryBytes,
} = NOTHING_GUARANTEED): Pick<Resources, 'cpuReservation' | 'memoryMinimum'> {
  return {
    ...(cpuMillis === 0 ? {} : { cpuReservation: formatCpus(cpuMillis) }),
    ...(memoryBytes === 0 ? {} : { memoryMinimum: formatQuantity(memoryBytes) }),
  };
}

/** Of one whose memory is kept: what it goes on with. */
function sharesOf(domain: Domain, limits: Snapshot['limits']): Pick<Resources, 'cpuShares' | 'cpuLimit'> {
  if (limits.kind === 'Seen') return sharesInForce(limits.limits);
  return domain.hasImage === true ? sharesInForce(limitsBorneBy(domain)) : {};
}

/** As the hypervisor says; nothing where it does as with any guest. */
function sharesInForce({ cpuShares, cpuLimitMillis }: Limits): Pick<Resources, 'cpuShares' | 'cpuLimit'> {
  return {
    ...(cpuShares === DEFAULT_CPU_SHARES ? {} : { cpuShares }),
    ...(cpuLimitMillis === undefined ? {} : { cpuLimit: formatCpus(cpuLimitMillis) }),
  };
}

function operationAfter({ powerState }: Report, telling: Telling): Pick<VirtualMachineStatus, 'currentOperation'> {
  const currentOperation = currentOperationAfter(powerState, telling);
  return currentOperation === undefined ? {} : { currentOperation };
}

/** An end that was told already keeps its time; another one of the same kind is another one. */
function terminationAfter(report: Report, { vm, snapshot, time }: Telling): { lastTermination?: LastTermination } {
  const { termination } = report;
  if (termination === undefined) return {};
  const known = saysEnd(vm, report) && !(isEndMidway(report) && isNewEnd(snapshot.memory));
  return { lastTermination: { ...termination, time: (known ? vm.status?.lastTermination?.time : undefined) ?? time } };
}

/** Whether this is what the status says, of this end or of an earlier one of the same kind. */
export function saysEnd({ status }: VirtualMachine, { powerState, termination }: Report): boolean {
  return status?.instance?.powerState === powerState && status.lastTermination?.reason === termination?.reason;
}

function pendingOf({ vm, snapshot }: Telling) {
  const { granted } = vm.status ?? {};
  if (granted === undefined || snapshot.domain.kind !== 'Present') return [];
  return pendingChanges(snapshot.domain.domain.metadata, vm, granted);
}

function conditionsAfter(report: Report, telling: Telling, restartRequired: boolean): readonly Condition[] {
  const { vm, time } = telling;
  const statements = [
    provisioned(report, telling),
    synced(report, vm),
    present(report),
    ...(report.powerState === 'Running' ? [migratable(telling)] : []),
  ];
  const decided = { observedGeneration: vm.status?.granted?.generation ?? 0, time };
  const kept = removeCondition(vm.status?.conditions, report.powerState === 'Running' ? '' : 'Migratable');
  const all = setConditions(kept, statements, decided);
  if (!restartRequired) return removeCondition(all, 'RestartRequired');
  const message = 'status.pendingChanges lists what takes effect only when the guest is stopped and started.';
  return setConditions(all, [{ type: 'RestartRequired', status: 'True', reason: 'SpecChanged', message }], decided);
}

function provisioned({ fault, powerState }: Report, { vm, snapshot }: Telling): Statement {
  const type = 'Provisioned';
  if (fault !== undefined) {
    const status = fault.code === STATE_UNKNOWN ? 'Unknown' : 'False';
    return { type, status, reason: fault.code, message: fault.reason };
  }
  if (powerState === 'Absent' && isToBeReleased(vm))
    return { type, status: 'False', reason: 'Released', message: released(snapshot) };
  if (powerState === 'Absent') return { type, status: 'False', reason: 'Removed', message: 'The guest was removed.' };
  const hypervisor = vm.status?.placement?.hypervisor ?? '';
  if (snapshot.domain.kind === 'Present')
    return { type, status: 'True', reason: 'Defined', message: `The guest is defined on ${hypervisor}.` };
  if (powerState === 'Starting')
    return { type, status: 'Unknown', reason: 'Defining', message: `The guest is being defined on ${hypervisor}.` };
  return { type, status: 'False', reason: 'NotDefined', message: `The guest is not defined on ${hypervisor}.` };
}

function released({ domain }: Snapshot): string {
  if (domain.kind === 'Present' && domain.domain.hasImage === true)
    return 'The guest was released, hibernated as it was: what is kept of it bears the marks of Usher still.';
  return 'The guest was released, and goes on as it was.';
}

function synced({ powerState }: Report, vm: VirtualMachine): Statement {
  const desired = vm.status?.granted?.powerState ?? 'Stopped';
  const off = powerState === 'Stopped' || powerState === 'Absent';
  const holds = powerState === desired || (off && (desired === 'Stopped' || desired === 'Hibernated'));
  const message = `Granted is ${desired}, observed is ${powerState}.`;
  return { type: 'PowerStateSynced', status: holds ? 'True' : 'False', reason: holds ? 'Synced' : powerState, message };
}

function present({ powerState, termination }: Report): Statement {
  const type = 'InstancePresent';
  switch (powerState) {
    case 'Running':
    case 'Paused':
    case 'Stopping':
      return { type, status: 'True', reason: 'Present', message: 'The guest is there.' };
    case 'Missing':
      return {
        type,
        status: 'False',
        reason: 'Missing',
        message: termination?.message ?? 'The guest is gone though Usher did not remove it.',
      };
    case 'Hibernated':
      return { type, status: 'False', reason: 'Hibernated', message: 'It has no process: its memory is kept on disk.' };
    case 'Absent':
      return { type, status: 'False', reason: 'Absent', message: 'There is no guest of this VM any more.' };
    default:
      return {
        type,
        status: 'False',
        reason: powerState,
        message: termination?.message ?? `There is no running guest: ${powerState}.`,
      };
  }
}
