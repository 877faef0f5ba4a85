import { expect } from 'chai';
import { INSTANCE_UUID_ANNOTATION, REQUESTER_ANNOTATION } from '#crds/v1alpha1/names.ts';
import { grantedFor, newMachine, placementOn } from '#test/builders/virtual-machine.ts';
import { instanceUuid, signedPayload } from './signed-payload.ts';

describe('what the operator signs', () => {
  const vm = newMachine({
    metadata: { annotations: { [REQUESTER_ANNOTATION]: 'adele' } },
    spec: { parameters: { class: 'batch' } },
  });
  const payload = (changes: Parameters<typeof grantedFor>[1] = {}) =>
    JSON.parse(signedPayload(vm, grantedFor(vm, changes), placementOn('hv1'))) as Record<string, unknown>;

  it('names the VM, who asked, and who may run it', () => {
    const { uid } = vm.metadata;
    expect(payload()).to.include({ uid, uuid: uid, namespace: 'team', name: 'web', requester: 'adele' });
    expect(payload()).to.include({ generation: 1, epoch: 1, hypervisor: 'hv1' });
  });

  it('holds what was granted in the place of what was asked', () => {
    const { parameters: _asked, ...granted } = grantedFor(vm, { resources: { cpus: 1, memory: '512Mi' } });
    const signed = JSON.parse(signedPayload(vm, granted, placementOn('hv1'))) as { spec: object };
    expect(signed.spec).to.deep.include({ resources: { cpus: 1, memory: '512Mi' }, restartPolicy: 'OnFailure' });
    expect(signed.spec).not.to.have.property('parameters');
    expect(payload().spec).to.deep.include({ parameters: { class: 'batch' } });
  });

  it('is the same text in whatever order the fields came', () => {
    const turned = { ...vm, spec: Object.fromEntries(Object.entries(vm.spec).toReversed()) as typeof vm.spec };
    const one = signedPayload(vm, grantedFor(vm), placementOn('hv1'));
    expect(signedPayload(turned, grantedFor(turned), placementOn('hv1'))).to.equal(one);
  });

  it('does not change with the status or the labels', () => {
    const later = { ...vm, metadata: { ...vm.metadata, labels: { tier: 'front' } }, status: {} };
    const one = signedPayload(vm, grantedFor(vm), placementOn('hv1'));
    expect(signedPayload(later, grantedFor(vm), placementOn('hv1', { signature: 'other' }))).to.equal(one);
  });
});

describe('the uuid of a guest', () => {
  it('is the uid of its VM', () => {
    expect(instanceUuid(newMachine())).to.equal(newMachine().metadata.uid);
  });

  it('is that of the guest where the guest is older than the VM', () => {
    const uuid = '11111111-2222-4333-8444-555555555555';
    expect(instanceUuid(newMachine({ metadata: { annotations: { [INSTANCE_UUID_ANNOTATION]: uuid } } }))).to.equal(
      uuid,
    );
  });
});
