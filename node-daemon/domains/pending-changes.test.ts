import { expect } from 'chai';
import type { VirtualMachineSpec } from '#crds/v1alpha1/virtual-machine-spec.ts';
import { domainOf } from '#test/builders/domain.ts';
import { grantedFor, HOLD, placedMachine } from '#test/builders/virtual-machine.ts';
import { pendingChanges } from './pending-changes.ts';

const built = placedMachine({ spec: { interfaces: [{ name: 'net0', network: 'default' }] } });
const { metadata } = domainOf(built);

function pendingAfter(spec: Partial<VirtualMachineSpec>) {
  const vm = { ...built, spec: { ...built.spec, ...spec }, metadata: { ...built.metadata, generation: 2 } };
  return pendingChanges(metadata, vm, grantedFor(vm));
}

describe('the changes that wait for a restart', () => {
  it('are none when nothing changed', () => {
    expect(pendingChanges(metadata, built, grantedFor(built))).to.deep.equal([]);
  });

  it('are what was granted later of the same generation', () => {
    const grown = grantedFor(built, { resources: { cpus: 2, memory: '1Gi' } });
    const vm = { ...built, spec: { ...built.spec, boot: { kernel: { image: 'newer' } } } };
    expect(pendingChanges(metadata, vm, grown)).to.deep.equal([
      { field: 'spec.resources.cpus', current: '1', desired: '2' },
    ]);
  });

  it('name the field, what the guest has and what it shall have', () => {
    expect(pendingAfter({ resources: { cpus: 2, memory: '2Gi' } })).to.deep.equal([
      { field: 'spec.resources.cpus', current: '1', desired: '2' },
      { field: 'spec.resources.memory', current: '1Gi', desired: '2Gi' },
    ]);
  });

  it('show lists and unions as JSON', () => {
    expect(
      pendingAfter({ disks: [{ name: 'root', pool: 'default', volume: 'web.qcow2', format: 'qcow2' }] }),
    ).to.deep.equal([
      {
        field: 'spec.disks',
        current: '[]',
        desired: '[{"format":"qcow2","name":"root","pool":"default","volume":"web.qcow2"}]',
      },
    ]);
    expect(pendingAfter({ boot: { kernel: { image: 'other' } } })[0]).to.include({ field: 'spec.boot' });
  });

  it('are cut where they are long', () => {
    const disks = Array.from({ length: 16 }, (_, n) => ({
      name: `d${n}`,
      pool: 'p',
      volume: 'v',
      format: 'raw' as const,
    }));
    expect(pendingAfter({ disks })[0]?.desired).to.have.length(256);
  });

  it('tell two long lists apart that differ only at their end', () => {
    const disks = (last: string) =>
      Array.from({ length: 16 }, (_, n) => ({
        name: `d${n}`,
        pool: 'p',
        volume: n < 15 ? 'v' : last,
        format: 'raw' as const,
      }));
    const one = placedMachine({ spec: { disks: disks('a') } });
    const other = { ...one, spec: { ...one.spec, disks: disks('b') }, metadata: { ...one.metadata, generation: 2 } };
    expect(pendingChanges(domainOf(one).metadata, other, grantedFor(other))).to.have.length(1);
  });

  it('are none of what takes effect while the guest runs', () => {
    const live = {
      restartPolicy: 'Always',
      parameters: { class: 'batch' },
      recovery: { ...HOLD, onMissing: 'Recreate' },
    } as const;
    expect(pendingAfter(live)).to.deep.equal([]);
  });

  it('do not depend on the order of fields, nor on how an amount is written', () => {
    const interfaces = [{ network: 'default', name: 'net0' }];
    expect(pendingAfter({ interfaces, resources: { memory: '1024Mi', cpus: 1 } })).to.deep.equal([]);
  });

  it('are none where nobody can tell what the guest was built from', () => {
    const vm = { ...built, spec: { ...built.spec, resources: { cpus: 2, memory: '1Gi' } } };
    const odd = ['', 'null', '[]', '{}', '{"spec":1}', '{"spec":{}}', '{"spec":{"resources":null}}'];
    for (const payload of odd) {
      const made = metadata && { ...metadata, generation: 7, payload };
      expect(pendingChanges(made, vm, grantedFor(vm)), payload).to.deep.equal([]);
    }
    expect(pendingChanges(undefined, vm, grantedFor(vm))).to.deep.equal([]);
  });
});
