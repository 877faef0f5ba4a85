// Whatever the API takes, a domain can be made of, and gives back.
import { expect } from 'chai';
import fc from 'fast-check';
import { amountOf } from '#crds/amount.ts';
import { REQUESTER_ANNOTATION } from '#crds/v1alpha1/names.ts';
import { type VirtualMachine, virtualMachineKind } from '#crds/v1alpha1/virtual-machine.ts';
import { validatorFor } from '#crds/validate.ts';
import { definitionOf } from '#node-daemon/domains/definition.ts';
import { arbitrarySpec, HOSTILE } from '#test/builders/arbitrary-spec.ts';
import { grantedFor, newMachine, placementOn } from '#test/builders/virtual-machine.ts';
import { buildDomainXml } from './build.ts';
import { exampleContext } from './example-definitions.ts';
import { parseMetadata } from './parse.ts';
import { parseCards } from './parse-cards.ts';
import { parseVolumes } from './parse-volumes.ts';

const LABEL = /^[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?$/;
const label = fc.oneof(fc.stringMatching(LABEL), fc.constant('w'.repeat(63)));
/** Who asked is whatever the site's authentication calls people. */
const requester = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(...HOSTILE));
const validate = validatorFor<VirtualMachine>(virtualMachineKind);

const machines = fc
  .record({ spec: arbitrarySpec, name: label, namespace: label, requester })
  .map(({ spec, name, namespace, requester: who }) =>
    newMachine({ metadata: { name, namespace, annotations: { [REQUESTER_ANNOTATION]: who } }, spec }),
  );

/** With what its defaults add. Throws where the API would not take it. */
function accepted(vm: VirtualMachine): VirtualMachine {
  const verdict = validate(vm);
  if (!verdict.valid) throw new Error(verdict.errors.join('\n'));
  return verdict.object;
}

describe('a VirtualMachine that the API takes', () => {
  it('is given back by the domain that is made of it, whatever characters it holds', () => {
    fc.assert(
      fc.property(machines, (given) => {
        const vm = accepted(given);
        const [granted, placement] = [grantedFor(vm), placementOn('hv1', { epoch: 7 })];
        const xml = buildDomainXml(definitionOf(vm, granted, placement), exampleContext);
        const { payload = '', ...marks } = parseMetadata(xml) ?? {};
        const { uid, namespace, name, annotations } = vm.metadata;
        expect(marks).to.deep.equal({ uid, namespace, name, epoch: 7, generation: 1, signature: placement.signature });
        const signed = JSON.parse(payload) as Record<string, unknown>;
        expect(signed.spec).to.deep.equal(vm.spec);
        expect(signed).to.include({ uid, namespace, name, requester: annotations?.[REQUESTER_ANNOTATION] });
      }),
      { numRuns: 300 },
    );
  });

  it('is given by the domain what it asks for', () => {
    fc.assert(
      fc.property(machines, (given) => {
        const vm = accepted(given);
        const { disks = [], interfaces = [], resources, boot } = vm.spec;
        const xml = buildDomainXml(definitionOf(vm, grantedFor(vm), placementOn('hv1')), exampleContext);
        expect(xml).to.include(`<memory unit="bytes">${amountOf(resources).memoryBytes}</memory>`);
        expect(xml).to.match(new RegExp(`<vcpu[^>]*>${resources.cpus}</vcpu>`));
        expect(xml.includes('<kernel>')).to.equal(boot.kernel !== undefined);
        expect(parseVolumes(xml)).to.deep.equal(
          disks.map(({ pool, volume, format, readOnly = false }) => ({ pool, volume, path: '', format, readOnly })),
        );
        expect(parseCards(xml).map(({ network }) => network)).to.deep.equal(interfaces.map(({ network }) => network));
      }),
      { numRuns: 100 },
    );
  });
});
