// Operations, and what is known when one is decided on.
import { API_VERSION, REQUESTER_ANNOTATION, REQUESTER_GROUPS_ANNOTATION } from '#crds/v1alpha1/names.ts';
import type { OperationSpec } from '#crds/v1alpha1/operation-spec.ts';
import type { OperationStatus } from '#crds/v1alpha1/operation-status.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { VirtualMachineOperation } from '#crds/v1alpha1/virtual-machine-operation.ts';
import { beginning, type Progress } from '#operator/operation/progress.ts';
import type { Rights } from '#operator/operation/rights.ts';
import type { Snapshot } from '#operator/operation/snapshot.ts';
import { TIME } from './time.ts';
import { uuidFor } from './uuid.ts';

const ALL_RIGHTS: Rights = {
  to: () => ({ allowed: true, reason: '' }),
  hintDenied: undefined,
  adoptDenied: () => undefined,
};

export function operationFor(
  name: string,
  spec: Pick<OperationSpec, 'type' | 'targets'> & Partial<OperationSpec>,
  given: { readonly creationTimestamp?: string; readonly status?: OperationStatus } = {},
): VirtualMachineOperation {
  const { creationTimestamp = TIME, status } = given;
  return {
    apiVersion: API_VERSION,
    kind: 'VirtualMachineOperation',
    metadata: {
      name,
      namespace: 'team',
      uid: uuidFor(name),
      resourceVersion: '1',
      generation: 1,
      creationTimestamp,
      annotations: { [REQUESTER_ANNOTATION]: 'adele', [REQUESTER_GROUPS_ANNOTATION]: 'staff\nsystem:authenticated' },
    },
    spec: { grant: 'BestEffort', parallelism: 20, deadlineSeconds: 3600, cancel: false, suspend: false, ...spec },
    ...(status === undefined ? {} : { status }),
  };
}

/** Of an operation whose targets were found just now, unless it is told otherwise. */
export function operationSnapshot(
  operation: VirtualMachineOperation,
  machines: readonly VirtualMachine[],
  given: Partial<Omit<Snapshot, 'operation' | 'machines'>> = {},
): Snapshot {
  return {
    operation,
    machines: new Map(machines.map((vm) => [vm.metadata.name, vm])),
    progress: undefined,
    guests: new Map(),
    candidates: [],
    hold: undefined,
    next: [],
    busy: new Map(),
    rights: ALL_RIGHTS,
    now: Date.parse(TIME),
    ...given,
  };
}

export function begunAt(time: string, targets: readonly string[], active: readonly string[] = []): Progress {
  return { ...beginning(time, targets), active: new Map(active.map((name) => [name, time])) };
}
