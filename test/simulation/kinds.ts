// What the simulated API server knows of our kinds: the schema, the stamps of admission, and who may write what.
import { isDeepStrictEqual } from 'node:util';
import { type DomainReport, domainReportKind, domainReportName } from '#crds/v1alpha1/domain-report.ts';
import type { Condition } from '#crds/v1alpha1/fragments.ts';
import { type Hypervisor, hypervisorKind } from '#crds/v1alpha1/hypervisor.ts';
import {
  domainReportResource,
  hypervisorResource,
  operationResource,
  virtualMachineResource,
} from '#crds/v1alpha1/kinds.ts';
import {
  FORCE_DELETE_ANNOTATION,
  REBUILD_MANAGER,
  REQUESTER_ANNOTATION,
  REQUESTER_GROUPS_ANNOTATION,
  VM_FINALIZER,
} from '#crds/v1alpha1/names.ts';
import { type VirtualMachine, virtualMachineKind } from '#crds/v1alpha1/virtual-machine.ts';
import { operationKind, type VirtualMachineOperation } from '#crds/v1alpha1/virtual-machine-operation.ts';
import type { VirtualMachineStatus } from '#crds/v1alpha1/virtual-machine-status.ts';
import { type Validator, validatorFor } from '#crds/validate.ts';
import { CONFIG_MAPS } from '#operator/site/record.ts';
import { NAMESPACES } from '#runtime/kube/control-plane.ts';
import { KubeError } from '#runtime/kube/errors.ts';
import type { AdmissionRequest, KindModel } from '#runtime/kube/memory/kind-model.ts';
import type { KubeObject } from '#runtime/kube/resource.ts';
import { LEASES, type Lease } from '#runtime/lease/lease.ts';

export const OPERATOR = 'operator';

export const namespaceModel: KindModel<KubeObject> = { type: NAMESPACES };
export const configMapModel: KindModel<KubeObject> = { type: CONFIG_MAPS };
export const leaseModel: KindModel<Lease> = { type: LEASES };

const validHypervisor = validatorFor<Hypervisor>(hypervisorKind);
export const hypervisorModel: KindModel<Hypervisor> = {
  type: hypervisorResource,
  statusSubresource: true,
  ...schemaOf(validHypervisor),
};

const validOperation = validatorFor<VirtualMachineOperation>(operationKind);

/** `watching` is told of every write that is about to be stored. */
export function operationModel(
  watching: (operation: VirtualMachineOperation, request: AdmissionRequest<VirtualMachineOperation>) => void,
): KindModel<VirtualMachineOperation> {
  return {
    type: operationResource,
    statusSubresource: true,
    ...schemaOf(validOperation),
    mutate: (operation, request) => (request.verb === 'create' ? stampedOperation(operation, request.user) : operation),
    validate: (operation, request) => {
      if (request.subresource === 'status' && request.user !== OPERATOR)
        return new KubeError('Forbidden', 'status is written by the operator');
      watching(operation, request);
      return undefined;
    },
  };
}

function stampedOperation(operation: VirtualMachineOperation, user: string): VirtualMachineOperation {
  const stamps = { [REQUESTER_ANNOTATION]: user, [REQUESTER_GROUPS_ANNOTATION]: 'system:authenticated' };
  const { metadata } = operation;
  return { ...operation, metadata: { ...metadata, annotations: { ...metadata.annotations, ...stamps } } };
}

const validReport = validatorFor<DomainReport>(domainReportKind);

/** As rights/admission does it on a real API server: a daemon reports of its own node, and the operator judges. */
export const reportModel: KindModel<DomainReport> = {
  type: domainReportResource,
  statusSubresource: true,
  ...schemaOf(validReport),
  validate: ({ metadata, spec, status }, { user, old, verb, subresource }) => {
    const own = user === spec.nodeName && metadata.name === domainReportName(spec);
    const changed = changedFields({ ...old?.status }, { ...status });
    const foreign = changed.filter((field) => (field === 'verdict') !== (user === OPERATOR));
    const allowed = user === OPERATOR ? verb === 'delete' || subresource === 'status' : own && verb !== 'delete';
    if (allowed && foreign.length === 0) return undefined;
    return new KubeError('Forbidden', `${user} may not ${verb} ${metadata.name}`);
  },
};

const validMachine = validatorFor<VirtualMachine>(virtualMachineKind);

/** `watching` is told of every write that is about to be stored. */
export function machineModel(
  watching: (vm: VirtualMachine, request: AdmissionRequest<VirtualMachine>) => void,
): KindModel<VirtualMachine> {
  return {
    type: virtualMachineResource,
    statusSubresource: true,
    ...schemaOf(validMachine),
    mutate: (vm, request) => (request.verb === 'create' ? stamped(vm, requesterOf(vm, request.user)) : vm),
    validate: (vm, request) => {
      const refusal =
        foreignField(vm, request) ??
        foreignSpec(vm, request) ??
        protectedFrom(vm, request) ??
        forcedTooSoon(vm, request);
      if (refusal === undefined) watching(vm, request);
      return refusal;
    },
  };
}

function schemaOf<T extends KubeObject>(validate: Validator<T>): Pick<KindModel<T>, 'defaults' | 'schemaFault'> {
  return {
    defaults: (object) => {
      const verdict = validate(object);
      return verdict.valid ? verdict.object : object;
    },
    schemaFault: (object) => {
      const verdict = validate(object);
      return verdict.valid ? undefined : verdict.errors.join('; ');
    },
  };
}

/** Only the operator says who had asked for it. */
function requesterOf({ metadata }: VirtualMachine, user: string): string {
  return user === OPERATOR ? (metadata.annotations?.[REQUESTER_ANNOTATION] ?? user) : user;
}

function stamped(vm: VirtualMachine, user: string): VirtualMachine {
  const { annotations: given = {} } = vm.metadata;
  const requester = user === OPERATOR ? (given[REQUESTER_ANNOTATION] ?? user) : user;
  const annotations = { ...given, [REQUESTER_ANNOTATION]: requester };
  return { ...vm, metadata: { ...vm.metadata, annotations, finalizers: [VM_FINALIZER] } };
}

const operatorFields = ['observedGeneration', 'granted', 'placement', 'decisions', 'managed'];
const operatorConditions = [
  'Authorized',
  'Placed',
  'HypervisorReachable',
  'ResizePending',
  'RestorePending',
  'Expired',
];
const daemonFields = ['instance', 'addresses', 'usage', 'lastTermination', 'currentOperation', 'pendingChanges'];
const daemonConditions = ['Provisioned', 'PowerStateSynced', 'InstancePresent', 'Migratable', 'RestartRequired'];
const operatorMoves = ['plan', 'verdict'];
const derived = ['phase', 'transitions', 'conditions', 'Ready', 'Reconciling', 'Stalled'];

/** As rights/admission does it on a real API server. */
function foreignField(vm: VirtualMachine, { user, old, subresource }: AdmissionRequest<VirtualMachine>) {
  if (subresource !== 'status') return undefined;
  const [before, after] = [old?.status, vm.status];
  const holds = after?.placement?.hypervisor === user && before?.placement?.hypervisor === user;
  const receives = after?.migration?.plan?.target === user && before?.migration?.plan?.target === user && !holds;
  if (user !== OPERATOR && !holds && !receives) {
    return new KubeError('Forbidden', `${user} may only report on guests that are placed there`);
  }
  if (receives)
    return foreignTo(user, changedFields(withMoves(before), withMoves(after)), new Set(['migration.target']));
  const moves = (user === OPERATOR ? operatorMoves : ['source']).map((part) => `migration.${part}`);
  const own = new Set([...derived, ...moves, ...(user === OPERATOR ? operatorFields : daemonFields)]);
  const ownConditions = new Set([...derived, ...(user === OPERATOR ? operatorConditions : daemonConditions)]);
  const foreign = [
    ...changedFields(withMoves(before), withMoves(after)).filter((field) => !own.has(field)),
    ...changedFields(byType(old?.status?.conditions), byType(vm.status?.conditions)).filter(
      (type) => !ownConditions.has(type),
    ),
  ];
  return foreignTo(user, foreign, new Set());
}

function foreignTo(user: string, changed: readonly string[], own: ReadonlySet<string>): KubeError | undefined {
  const foreign = changed.filter((field) => !own.has(field));
  return foreign.length === 0 ? undefined : new KubeError('Forbidden', `${user} may not change ${foreign.join(', ')}`);
}

/** With each part of the migration as a field of its own: each has another owner. */
function withMoves({ migration = {}, ...fields }: VirtualMachineStatus = {}): Record<string, unknown> {
  const parts = Object.entries(migration).map(([part, told]) => [`migration.${part}`, told]);
  return { ...fields, ...Object.fromEntries(parts) };
}

function protectedFrom({ metadata, spec }: VirtualMachine, { verb }: AdmissionRequest<VirtualMachine>) {
  if (verb !== 'delete' || spec.deletionProtection !== true || metadata.deletionTimestamp !== undefined)
    return undefined;
  return new KubeError('Forbidden', 'spec.deletionProtection is set');
}

function forcedTooSoon({ metadata, status }: VirtualMachine, { old, verb }: AdmissionRequest<VirtualMachine>) {
  const accepted = metadata.annotations?.[FORCE_DELETE_ANNOTATION];
  if (verb === 'delete' || accepted === undefined) return undefined;
  if (accepted === old?.metadata.annotations?.[FORCE_DELETE_ANNOTATION]) return undefined;
  const named = accepted === (status?.placement?.hypervisor ?? '');
  if (named && metadata.deletionTimestamp !== undefined) return undefined;
  return new KubeError('Forbidden', `${FORCE_DELETE_ANNOTATION} names the hypervisor of a VM that is being deleted`);
}

/** Of a spec the operator writes what operations declare, and what it had once signed; nothing else. */
function foreignSpec(vm: VirtualMachine, { user, old, verb, fieldManager }: AdmissionRequest<VirtualMachine>) {
  if (user !== OPERATOR || old === undefined || fieldManager === REBUILD_MANAGER) return undefined;
  const changed = changedFields({ ...old.spec }, { ...vm.spec });
  if (changed.length === 0 || (verb === 'apply' && changed.join() === 'powerState')) return undefined;
  return new KubeError('Forbidden', `the operator may not change spec.${changed.join(', spec.')} by ${verb}`);
}

function changedFields(before: Record<string, unknown>, after: Record<string, unknown>): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (field) => !isDeepStrictEqual(before[field], after[field]),
  );
}

function byType(conditions: readonly Condition[] = []): Record<string, Condition> {
  return Object.fromEntries(conditions.map((condition) => [condition.type, condition]));
}
