import { expect } from 'chai';
import { instanceStates } from '#crds/v1alpha1/virtual-machine-status.ts';
import { newMachine, placedMachine } from '#test/builders/virtual-machine.ts';
import { currentInstance, epochIsOver } from './epoch.ts';

describe('an epoch', () => {
  it('is over before there ever was one', () => {
    expect(epochIsOver(undefined)).to.equal(true);
    expect(epochIsOver(newMachine().status)).to.equal(true);
  });

  it('is not over as long as nothing was reported under it', () => {
    expect(epochIsOver(placedMachine().status)).to.equal(false);
  });

  for (const state of instanceStates) {
    const over = ['Stopped', 'Refused', 'Absent'].includes(state);
    it(`is ${over ? 'over' : 'not over'} when its node reports ${state}`, () => {
      expect(epochIsOver(placedMachine({ instance: state }).status)).to.equal(over);
    });

    it(`is not over when ${state} was reported under an earlier one`, () => {
      const vm = placedMachine({ placement: { epoch: 2 }, instance: { powerState: state, epoch: 1 } });
      expect(epochIsOver(vm.status)).to.equal(false);
      expect(currentInstance(vm.status)).to.equal(undefined);
    });
  }
});
