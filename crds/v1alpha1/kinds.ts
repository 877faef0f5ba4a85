// Every kind of the API. What is listed here is generated, validated, documented and tested.
import { type KindDefinition, type ResourceDescriptor, resourceOf } from '#crds/schema/kind.ts';
import { type DomainReport, domainReportKind } from './domain-report.ts';
import { type Hypervisor, hypervisorKind } from './hypervisor.ts';
import { API_VERSION } from './names.ts';
import { type VirtualMachine, virtualMachineKind } from './virtual-machine.ts';
import { operationKind, type VirtualMachineOperation } from './virtual-machine-operation.ts';

export const kinds: readonly KindDefinition[] = [virtualMachineKind, hypervisorKind, operationKind, domainReportKind];

export const virtualMachineResource: ResourceDescriptor<VirtualMachine> = resourceOf(virtualMachineKind, API_VERSION);
export const hypervisorResource: ResourceDescriptor<Hypervisor> = resourceOf(hypervisorKind, API_VERSION);
export const operationResource: ResourceDescriptor<VirtualMachineOperation> = resourceOf(operationKind, API_VERSION);
export const domainReportResource: ResourceDescriptor<DomainReport> = resourceOf(domainReportKind, API_VERSION);
