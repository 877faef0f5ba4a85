// From what was granted to what a driver is told to make.
import { createHash } from 'node:crypto';
import { amountOf } from '#crds/amount.ts';
import { instanceUuid, signedPayload } from '#crds/derive/signed-payload.ts';
import { isUnlimited, limitsOf } from '#crds/resources.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { Resources, VirtualMachineSpec } from '#crds/v1alpha1/virtual-machine-spec.ts';
import type { Granted, PlacementStatus } from '#crds/v1alpha1/virtual-machine-status.ts';
import type { BootSource, DomainDefinition, DomainMetadata, InterfaceDefinition } from '../hypervisor/driver.ts';

/** The definition of the guest as it was granted: resources from the grant, the rest from the spec it was made for. */
export function definitionOf(vm: VirtualMachine, granted: Granted, placement: PlacementStatus): DomainDefinition {
  const { spec } = vm;
  const limits = limitsOf(granted.resources);
  return {
    uuid: instanceUuid(vm),
    name: domainName(vm),
    ...sizeOf(granted.resources),
    ...(isUnlimited(limits) ? {} : { limits }),
    boot: bootOf(spec.boot),
    disks: (spec.disks ?? []).map((disk) => ({ ...disk, readOnly: disk.readOnly ?? false })),
    interfaces: (spec.interfaces ?? []).map((card) => interfaceOf(card, instanceUuid(vm))),
    metadata: metadataOf(vm, granted, placement),
  };
}

function sizeOf(resources: Resources): Pick<DomainDefinition, 'cpus' | 'memoryBytes'> {
  const { cpus, memoryBytes } = amountOf(resources);
  return { cpus, memoryBytes };
}

/** Namespaces and names are DNS labels, so the dot keeps two VMs from ever sharing a name on a node. */
export function domainName(vm: VirtualMachine): string {
  return `${vm.metadata.namespace}.${vm.metadata.name}`;
}

/** What the domain carries of us: whose it is, under which permission, and enough to write the VM again from it. */
export function metadataOf(vm: VirtualMachine, granted: Granted, placement: PlacementStatus): DomainMetadata {
  const { uid, namespace, name } = vm.metadata;
  return {
    uid,
    namespace,
    name,
    epoch: placement.epoch,
    generation: granted.generation,
    payload: signedPayload(vm, granted, placement),
    signature: placement.signature,
  };
}

function bootOf({ kernel, disk, network }: VirtualMachineSpec['boot']): BootSource {
  if (kernel !== undefined) return { kind: 'Kernel', ...kernel };
  if (disk !== undefined) return { kind: 'Disk', disk: disk.name };
  if (network !== undefined) return { kind: 'Network', interface: network.interface };
  throw new TypeError('spec.boot: none of kernel, disk and network is set');
}

function interfaceOf(
  { name, network, macAddress }: NonNullable<VirtualMachineSpec['interfaces']>[number],
  uuid: string,
): InterfaceDefinition {
  return { name, network, macAddress: macAddress ?? derivedMacAddress(uuid, name) };
}

/** Stable for a guest's interface wherever it runs, under the prefix that QEMU and libvirt use for generated addresses. */
export function derivedMacAddress(uuid: string, interfaceName: string): string {
  const digest = createHash('sha256').update(`${uuid}/${interfaceName}`).digest();
  const tail = [...digest.subarray(0, 3)].map((byte) => byte.toString(16).padStart(2, '0'));
  return ['52', '54', '00', ...tail].join(':');
}
