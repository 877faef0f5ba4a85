// What the operator signs and the hypervisor keeps with the guest: enough to write the VirtualMachine again from the
// node alone, and impossible for a node to make up.
import { canonicalJson, isFields } from '#crds/canonical-json.ts';
import { INSTANCE_UUID_ANNOTATION, REQUESTER_ANNOTATION } from '#crds/v1alpha1/names.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { VirtualMachineSpec } from '#crds/v1alpha1/virtual-machine-spec.ts';
import type { Granted, PlacementStatus } from '#crds/v1alpha1/virtual-machine-status.ts';

/** The domain's uuid: the uid of the object, unless the guest is older than the object. */
export function instanceUuid(vm: VirtualMachine): string {
  return vm.metadata.annotations?.[INSTANCE_UUID_ANNOTATION] ?? vm.metadata.uid;
}

/**
 * JSON with sorted keys, the same on both sides for the same grant and placement; the signature itself is not part of
 * it. `spec` is the user's with what the policies granted in its place. Labels are left out: they change without a new
 * generation, so signer and daemon could see different ones.
 */
export function signedPayload(
  vm: VirtualMachine,
  granted: Granted,
  placement: Pick<PlacementStatus, 'hypervisor' | 'hypervisorUID' | 'epoch'>,
): string {
  const { powerState, resources, parameters } = granted;
  const { parameters: _asked, ...spec } = vm.spec;
  return canonicalJson({
    version: 1,
    uid: vm.metadata.uid,
    uuid: instanceUuid(vm),
    namespace: vm.metadata.namespace,
    name: vm.metadata.name,
    requester: vm.metadata.annotations?.[REQUESTER_ANNOTATION] ?? '',
    generation: granted.generation,
    epoch: placement.epoch,
    hypervisor: placement.hypervisor,
    hypervisorUID: placement.hypervisorUID,
    spec: { ...spec, powerState, resources, ...(parameters === undefined ? {} : { parameters }) },
  });
}

/** A VirtualMachine as it was signed. */
export interface SignedMachine {
  readonly uid: string;
  /** Of its guest. */
  readonly uuid: string;
  readonly namespace: string;
  readonly name: string;
  readonly requester: string;
  readonly generation: number;
  readonly epoch: number;
  readonly hypervisor: string;
  readonly spec: VirtualMachineSpec;
}

/**
 * What a payload says; undefined where it is none that `signedPayload` writes. Whether the spec is one that the API takes
 * today, the API server says. Only what is signed is worth reading.
 */
export function readPayload(payload: string): SignedMachine | undefined {
  try {
    const read: unknown = JSON.parse(payload);
    return isSignedMachine(read) ? read : undefined;
  } catch {
    return undefined;
  }
}

const TEXTS = ['uid', 'uuid', 'namespace', 'name', 'requester', 'hypervisor'] as const;
const NUMBERS = ['generation', 'epoch'] as const;

function isSignedMachine(read: unknown): read is SignedMachine {
  if (!isFields(read) || read.version !== 1 || !isFields(read.spec) || !isFields(read.spec.resources)) return false;
  return TEXTS.every((field) => typeof read[field] === 'string') && NUMBERS.every((n) => Number.isSafeInteger(read[n]));
}
