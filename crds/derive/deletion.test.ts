import { expect } from 'chai';
import { FORCE_DELETE_ANNOTATION } from '#crds/v1alpha1/names.ts';
import { TIME } from '#test/builders/time.ts';
import { placedMachine } from '#test/builders/virtual-machine.ts';
import { forceInWords, isForced, waitingInWords } from './deletion.ts';

const DELETING = { deletionTimestamp: TIME };
const accepting = (hypervisor: string) => ({ annotations: { [FORCE_DELETE_ANNOTATION]: hypervisor } });

describe('a deletion by force', () => {
  it('is asked for by the name of the hypervisor that holds the VM, once it is being deleted', () => {
    expect(isForced(placedMachine({ metadata: { ...DELETING, ...accepting('hv1') } }))).to.equal(true);
    expect(isForced(placedMachine({ metadata: { ...DELETING, ...accepting('hv2') } }))).to.equal(false);
    expect(isForced(placedMachine({ metadata: accepting('hv1') }))).to.equal(false);
    expect(isForced(placedMachine({ metadata: DELETING }))).to.equal(false);
  });

  it('is explained by a command to copy', () => {
    expect(forceInWords(placedMachine(), 'hv1')).to.include(
      'kubectl annotate uvm web --namespace team usher.dev/force-delete=hv1 it is forgotten',
    );
  });
});

describe('a deletion that waits for the guest to stop', () => {
  const waiting = (mode: 'Graceful' | 'GracefulThenForce' | 'Force') =>
    waitingInWords(placedMachine({ spec: { powerOff: { mode, gracePeriodSeconds: 30 } } }), 'hv1');

  it('says that the guest runs on where it is to be released', () => {
    const vm = placedMachine({ spec: { deletionPolicy: 'Release' } });
    expect(waitingInWords(vm, 'hv1')).to.equal('Waiting for hv1 to let go of the guest, which runs on.');
  });

  it('says for how long that may be, and how to hurry it', () => {
    expect(waiting('Force')).to.equal('Waiting for hv1 to stop and remove the guest.');
    expect(waiting('GracefulThenForce')).to.include('whose plug is pulled 30 s after it was asked.');
    expect(waiting('Graceful')).to.include('however long it takes').and.to.include('set spec.powerOff.mode to Force');
  });
});
