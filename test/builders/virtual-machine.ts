// Valid VirtualMachines, of which a test says only what differs.
import { mayBeThere } from '#crds/derive/hibernated.ts';
import { API_VERSION, VM_FINALIZER } from '#crds/v1alpha1/names.ts';
import { type VirtualMachine, virtualMachineKind } from '#crds/v1alpha1/virtual-machine.ts';
import type { VirtualMachineSpec } from '#crds/v1alpha1/virtual-machine-spec.ts';
import type {
  Granted,
  Instance,
  InstanceState,
  PlacementStatus,
  VirtualMachineStatus,
} from '#crds/v1alpha1/virtual-machine-status.ts';
import { TIME } from './time.ts';
import { uuidFor } from './uuid.ts';

export interface MachineChanges {
  readonly metadata?: Partial<VirtualMachine['metadata']>;
  readonly spec?: Partial<VirtualMachineSpec>;
  /** Laid over what the other changes give. */
  readonly status?: Partial<VirtualMachineStatus>;
}

export interface PlacedChanges extends MachineChanges {
  readonly granted?: Partial<Granted>;
  readonly placement?: Partial<PlacementStatus>;
  /** What the daemon said last of it, under the current epoch unless it says another. Left out: nothing yet. */
  readonly instance?: InstanceState | (Partial<Instance> & { readonly powerState: InstanceState });
}

/** What the API server makes of no recovery at all. */
export const HOLD: VirtualMachineSpec['recovery'] = { onLost: 'Hold', lostTimeoutSeconds: 300, onMissing: 'Hold' };

const SPEC: VirtualMachineSpec = {
  powerState: 'Running',
  resources: { cpus: 1, memory: '1Gi' },
  boot: { kernel: { image: 'vmlinuz' } },
  powerOff: { mode: 'GracefulThenForce', gracePeriodSeconds: 60 },
  restartPolicy: 'OnFailure',
  recovery: HOLD,
};

/** As the API server gives it out right after its creation: team/web, asking to run. */
export function newMachine(changes: MachineChanges = {}): VirtualMachine {
  const { name = 'web', namespace = 'team' } = changes.metadata ?? {};
  return {
    apiVersion: API_VERSION,
    kind: 'VirtualMachine',
    metadata: {
      name,
      namespace,
      uid: uuidFor(`${namespace}/${name}`),
      resourceVersion: '100',
      generation: 1,
      creationTimestamp: TIME,
      finalizers: [VM_FINALIZER],
      ...changes.metadata,
    },
    spec: { ...SPEC, ...changes.spec },
    status: { ...structuredClone(virtualMachineKind.statusDefault as VirtualMachineStatus), ...changes.status },
  };
}

/** Granted as it is declared, and placed on hv1 under epoch 1. */
export function placedMachine(changes: PlacedChanges = {}): VirtualMachine {
  const vm = newMachine(changes);
  const granted = grantedFor(vm, changes.granted);
  const placement = placementOn('hv1', { runnableGeneration: runnable(vm, granted), ...changes.placement });
  const { instance } = changes;
  return {
    ...vm,
    status: {
      ...vm.status,
      observedGeneration: granted.generation,
      granted,
      placement,
      ...(instance === undefined ? {} : { instance: instanceOf(vm, placement, instance) }),
      ...changes.status,
    },
  };
}

/** One that is declared otherwise now was declared to run before. */
function runnable({ metadata }: VirtualMachine, { powerState, generation }: Granted): number {
  return mayBeThere(powerState) ? generation : Math.max((metadata.generation ?? 0) - 1, 0);
}

/** A VM that runs on hv1 and says so. */
export function runningMachine(changes: PlacedChanges = {}): VirtualMachine {
  return placedMachine({ instance: 'Running', ...changes });
}

/** What the built-in allow grants for this spec and generation. */
export function grantedFor({ metadata, spec }: VirtualMachine, changes: Partial<Granted> = {}): Granted {
  const { powerState, resources, parameters } = spec;
  const generation = changes.generation ?? metadata.generation ?? 0;
  return {
    generation,
    powerState,
    resources,
    ...(parameters === undefined ? {} : { parameters }),
    decisionID: `${metadata.uid}.${generation}`,
    ...changes,
  };
}

export function placementOn(hypervisor: string, changes: Partial<PlacementStatus> = {}): PlacementStatus {
  const name = changes.hypervisor ?? hypervisor;
  return {
    hypervisor: name,
    hypervisorUID: uuidFor(name),
    epoch: 1,
    decidedBy: 'default',
    reason: `${name} is the only hypervisor that fits.`,
    time: TIME,
    signature: 'c2lnbmVk',
    ...changes,
  };
}

function instanceOf(
  vm: VirtualMachine,
  placement: PlacementStatus,
  instance: InstanceState | (Partial<Instance> & { readonly powerState: InstanceState }),
): Instance {
  const changes = typeof instance === 'string' ? { powerState: instance } : instance;
  return {
    epoch: placement.epoch,
    generation: vm.metadata.generation ?? 0,
    uuid: vm.metadata.uid,
    bootID: uuidFor(`boot of ${placement.hypervisor}`),
    since: TIME,
    ...changes,
  };
}
