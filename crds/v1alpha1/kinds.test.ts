import { expect } from 'chai';
import type { ResourceType } from '#runtime/kube/resource.ts';
import type { Hypervisor } from './hypervisor.ts';
import { hypervisorResource, kinds, virtualMachineResource } from './kinds.ts';
import type { VirtualMachine } from './virtual-machine.ts';

describe('the kinds', () => {
  it('can be given to the client as they are', () => {
    const virtualMachines: ResourceType<VirtualMachine> = virtualMachineResource;
    const hypervisors: ResourceType<Hypervisor> = hypervisorResource;
    expect(virtualMachines).to.include({
      apiVersion: 'usher.dev/v1alpha1',
      plural: 'virtualmachines',
      namespaced: true,
    });
    expect(hypervisors).to.include({ apiVersion: 'usher.dev/v1alpha1', plural: 'hypervisors', namespaced: false });
  });

  it('share no name', () => {
    const names = kinds.flatMap(({ plural, singular, shortNames }) => [plural, singular, ...shortNames]);
    expect(names).to.have.length(new Set(names).size);
  });

  it('keep to the limits of Kubernetes', () => {
    for (const { kind, selectableFields = [] } of kinds) expect(selectableFields.length, kind).to.be.at.most(8);
  });
});
