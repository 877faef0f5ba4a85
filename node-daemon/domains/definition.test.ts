import { expect } from 'chai';
import { signedPayload } from '#crds/derive/signed-payload.ts';
import type { VirtualMachineSpec } from '#crds/v1alpha1/virtual-machine-spec.ts';
import { grantedFor, newMachine, placementOn } from '#test/builders/virtual-machine.ts';
import { definitionOf, derivedMacAddress } from './definition.ts';

const placement = placementOn('hv1', { epoch: 3 });

function defined(spec: Partial<VirtualMachineSpec> = {}, granted: Parameters<typeof grantedFor>[1] = {}) {
  const vm = newMachine({ spec });
  return definitionOf(vm, grantedFor(vm, granted), placement);
}

describe('the definition of a guest', () => {
  it('is named after namespace and name, and identified by the uid', () => {
    expect(defined()).to.include({ name: 'team.web', uuid: newMachine().metadata.uid });
  });

  it('has the resources that were granted, not those that were asked', () => {
    const granted = { resources: { cpus: 2, memory: '512Mi' } };
    expect(defined({ resources: { cpus: 8, memory: '8Gi' } }, granted)).to.include({ cpus: 2, memoryBytes: 2 ** 29 });
  });

  it('boots from a kernel, a disk or the network', () => {
    const kernel = { image: 'vmlinuz', initrd: 'initrd.img', commandLine: 'quiet' };
    expect(defined({ boot: { kernel } }).boot).to.deep.equal({ kind: 'Kernel', ...kernel });
    expect(defined({ boot: { disk: { name: 'root' } } }).boot).to.deep.equal({ kind: 'Disk', disk: 'root' });
    const network = { interface: 'net0' };
    expect(defined({ boot: { network } }).boot).to.deep.equal({ kind: 'Network', interface: 'net0' });
  });

  it('refuses to be made where no boot source is set, naming the field', () => {
    expect(() => defined({ boot: {} })).to.throw(TypeError, 'spec.boot: none of kernel, disk and network is set');
  });

  it('attaches disks writable unless told otherwise', () => {
    const root = { name: 'root', pool: 'default', volume: 'web.qcow2', format: 'qcow2' } as const;
    const data = { name: 'data', pool: 'default', volume: 'data.raw', format: 'raw', readOnly: true } as const;
    expect(defined({ disks: [root, data] }).disks).to.deep.equal([{ ...root, readOnly: false }, data]);
  });

  it('takes the hardware address that was given and derives the others', () => {
    const [given, derived] = defined({
      interfaces: [
        { name: 'net0', network: 'default', macAddress: '52:54:00:12:34:56' },
        { name: 'net1', network: 'default' },
      ],
    }).interfaces;
    expect(given?.macAddress).to.equal('52:54:00:12:34:56');
    expect(derived?.macAddress).to.equal(derivedMacAddress(newMachine().metadata.uid, 'net1'));
  });

  it('carries who it is, its permission, and what was signed', () => {
    const vm = newMachine();
    expect(defined().metadata).to.deep.equal({
      uid: vm.metadata.uid,
      namespace: 'team',
      name: 'web',
      epoch: 3,
      generation: 1,
      payload: signedPayload(vm, grantedFor(vm), placement),
      signature: placement.signature,
    });
  });
});

describe('a derived hardware address', () => {
  it('is always the same for an interface of a VM, and another for every other', () => {
    const one = derivedMacAddress('u1', 'net0');
    expect(derivedMacAddress('u1', 'net0')).to.equal(one);
    expect(new Set([one, derivedMacAddress('u1', 'net1'), derivedMacAddress('u2', 'net0')]).size).to.equal(3);
  });

  it('is one that the schema takes, under the prefix of QEMU', () => {
    for (let n = 0; n < 50; n++) expect(derivedMacAddress(`u${n}`, 'net0')).to.match(/^52:54:00(:[0-9a-f]{2}){3}$/);
  });
});
