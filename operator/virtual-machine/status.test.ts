import { expect } from 'chai';
import { stringify } from 'yaml';
import { findCondition } from '#crds/conditions.ts';
import { signedPayload } from '#crds/derive/signed-payload.ts';
import { REQUESTER_ANNOTATION } from '#crds/v1alpha1/names.ts';
import { type VirtualMachine, virtualMachineKind } from '#crds/v1alpha1/virtual-machine.ts';
import type { Granted } from '#crds/v1alpha1/virtual-machine-status.ts';
import { validatorFor } from '#crds/validate.ts';
import { generateSigningKey, signerFrom } from '#operator/signing/key.ts';
import { candidate } from '#test/builders/hypervisor.ts';
import { operatorSnapshot } from '#test/builders/operator-snapshot.ts';
import { timeAfter } from '#test/builders/time.ts';
import { newMachine, placedMachine, runningMachine } from '#test/builders/virtual-machine.ts';
import { expectGolden } from '#test/golden.ts';
import type { Action } from './actions.ts';
import { planVirtualMachine } from './plan.ts';
import { statusAfter } from './status.ts';

const TIME = timeAfter(10);

function decided(vm: VirtualMachine, sign: (payload: string) => string = () => 'c2lnbmVk') {
  return statusAfter(planVirtualMachine(operatorSnapshot(vm)).actions, { vm, sign, time: TIME });
}

function told(vm: VirtualMachine, ...actions: Action[]) {
  return statusAfter(actions, { vm, sign: () => 'c2lnbmVk', time: TIME });
}

const NO_ROOM: Action = { kind: 'CannotPlace', code: 'TooFewCpus', reason: 'None of 2 hypervisors can take it.' };

describe('the status of a VM after the operator has decided', () => {
  const annotations = { [REQUESTER_ANNOTATION]: 'adele' };
  const vm = newMachine({ metadata: { annotations } });

  it('is this, when it was granted and placed', () => {
    expectGolden(new URL('testdata/granted-and-placed.golden.yaml', import.meta.url), stringify(decided(vm)));
  });

  it('is one that the API server takes', () => {
    const verdict = validatorFor(virtualMachineKind)({ ...vm, status: decided(vm) });
    expect(verdict.valid ? [] : verdict.errors).to.deep.equal([]);
  });

  it('carries a signature over identity, permission and what was granted', () => {
    const signer = signerFrom(generateSigningKey());
    const { granted, placement } = decided(vm, (payload) => signer.sign(payload));
    if (granted === undefined || placement === undefined) throw new Error('it was not granted and placed');
    const payload = signedPayload(vm, granted, placement);
    expect(signer.verify(payload, placement.signature)).to.equal(true);
    expect(placement.signature).to.have.length(88);
    expect(signer.verify(payload.replace('hv1', 'hv2'), placement.signature)).to.equal(false);
  });

  it('carries a new signature when a change is granted to a VM that runs', () => {
    const signer = signerFrom(generateSigningKey());
    const changed = runningMachine({
      metadata: { generation: 2 },
      granted: { generation: 1 },
      spec: { restartPolicy: 'Never' },
    });
    const { granted, placement } = decided(changed, (payload) => signer.sign(payload));
    if (granted === undefined || placement === undefined) throw new Error('it was not granted and placed');
    expect(placement).to.include({ hypervisor: 'hv1', epoch: 1, time: placedMachine().status?.placement?.time });
    expect(signer.verify(signedPayload(changed, granted, placement), placement.signature)).to.equal(true);
  });

  it('says again of a changed spec what is still so, within the same write', () => {
    const first = { ...vm, status: decided(vm) };
    const running = { epoch: 1, generation: 1, powerState: 'Running', uuid: '', bootID: '', since: TIME } as const;
    const edited = {
      ...first,
      metadata: { ...vm.metadata, generation: 2 },
      spec: { ...vm.spec, restartPolicy: 'Never' as const },
      status: { ...first.status, instance: running },
    };
    const { conditions } = decided(edited);
    for (const type of ['Placed', 'HypervisorReachable', 'Authorized', 'Ready'])
      expect(findCondition(conditions, type)?.observedGeneration, type).to.equal(2);
    expect(findCondition(conditions, 'Placed')).to.deep.equal({
      ...findCondition(first.status.conditions, 'Placed'),
      observedGeneration: 2,
    });
  });

  it('keeps the last verdict on each event', () => {
    const once = { ...vm, status: decided(vm) };
    const stop = {
      ...once,
      metadata: { ...vm.metadata, generation: 2 },
      spec: { ...vm.spec, powerState: 'Stopped' as const },
    };
    const twice = { ...stop, status: decided(stop) };
    const again = { ...twice, metadata: { ...vm.metadata, generation: 3 } };
    expect(decided(again).decisions?.map(({ event }) => event)).to.deep.equal([
      'vm.start.request',
      'vm.shutdown.request',
    ]);
    const start = { ...again, status: decided(again), metadata: { ...vm.metadata, generation: 4 }, spec: vm.spec };
    expect(decided(start).decisions?.map(({ event }) => event)).to.deep.equal([
      'vm.shutdown.request',
      'vm.start.request',
    ]);
  });

  it('tells a guest that goes on from one that is started', () => {
    const events = (before: Partial<Granted>, powerState: VirtualMachine['spec']['powerState']) => {
      const changed = runningMachine({
        metadata: { generation: 2 },
        spec: { powerState },
        granted: { generation: 1, ...before },
      });
      return decided(changed).decisions?.map(({ event, generation }) => `${event} ${generation}`);
    };
    expect(events({ powerState: 'Running' }, 'Paused')).to.deep.equal(['vm.pause.request 2']);
    expect(events({ powerState: 'Paused' }, 'Running')).to.deep.equal(['vm.resume.request 2']);
    expect(events({ powerState: 'Stopped' }, 'Running')).to.deep.equal(['vm.start.request 2']);
    expect(events({ powerState: 'Paused' }, 'Stopped')).to.deep.equal(['vm.shutdown.request 2']);
  });

  it('keeps how the VM came under management', () => {
    const adopted = newMachine({ status: { managed: { origin: 'Adopted' } } });
    expect(decided(adopted).managed).to.deep.equal({ origin: 'Adopted' });
  });

  it('says why there is no place, in words that the phase repeats', () => {
    const status = told(placedMachine({ instance: 'Stopped' }), NO_ROOM);
    expect(findCondition(status.conditions, 'Placed')).to.include({
      status: 'False',
      reason: 'TooFewCpus',
      lastTransitionTime: TIME,
    });
    expect(findCondition(status.conditions, 'Ready')).to.include({ status: 'False', message: NO_ROOM.reason });
    expect(status.phase).to.equal('Scheduling');
  });

  it('says that its hypervisor is silent, and since when that is so', () => {
    const silent: Action = { kind: 'MarkReachable', reachable: false, code: 'Silent', reason: 'Silent since noon.' };
    const status = told(runningMachine(), silent);
    expect(findCondition(status.conditions, 'HypervisorReachable')).to.include({ status: 'False', reason: 'Silent' });
    expect(status).to.include({ phase: 'Lost' });
    expect(status.instance?.powerState).to.equal('Running');
  });

  it('stays as it is where there is nothing to say', () => {
    const vm = { ...runningMachine(), status: told(runningMachine()) };
    expect(told(vm, { kind: 'Finalize', reason: 'It is gone.' })).to.deep.equal(vm.status);
  });

  it('cannot be placed without a grant', () => {
    const place: Action = {
      kind: 'Place',
      hypervisor: 'hv1',
      hypervisorUID: candidate().uid,
      epoch: 1,
      alternatives: 0,
      reason: 'It fits.',
    };
    expect(() => told(newMachine(), place)).to.throw('placed without a grant');
  });
});
