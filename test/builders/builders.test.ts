import { expect } from 'chai';
import { hypervisorKind } from '#crds/v1alpha1/hypervisor.ts';
import { virtualMachineKind } from '#crds/v1alpha1/virtual-machine.ts';
import { validatorFor } from '#crds/validate.ts';
import { hypervisor } from './hypervisor.ts';
import { newMachine, placedMachine, runningMachine } from './virtual-machine.ts';

describe('the builders', () => {
  const machineFaults = faultsOf(virtualMachineKind);

  it('give VirtualMachines that the API server would store', () => {
    for (const vm of [newMachine(), placedMachine(), runningMachine()]) expect(machineFaults(vm)).to.deep.equal([]);
  });

  it('give Hypervisors that the API server would store', () => {
    expect(faultsOf(hypervisorKind)(hypervisor())).to.deep.equal([]);
  });
});

function faultsOf(kind: Parameters<typeof validatorFor>[0]): (object: object) => string[] {
  const validate = validatorFor(kind);
  return (object) => {
    const verdict = validate(object);
    return verdict.valid ? [] : verdict.errors;
  };
}
