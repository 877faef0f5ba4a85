import { expect } from 'chai';
import fc from 'fast-check';
import { ADOPTED_FROM_ANNOTATION } from '#crds/v1alpha1/names.ts';
import { type DomainChanges, domainOf, domainSnapshot, type SnapshotChanges } from '#test/builders/domain.ts';
import { planText } from '#test/builders/plan-text.ts';
import { type PlacedChanges, placedMachine } from '#test/builders/virtual-machine.ts';
import type { DomainPowerState, Inspection } from '../hypervisor/driver.ts';
import { planDomain } from './plan.ts';

function adopting(changes: PlacedChanges = {}) {
  const metadata = { annotations: { [ADOPTED_FROM_ANNOTATION]: 'hv1' }, ...changes.metadata };
  const status = { managed: { origin: 'Adopted' }, ...changes.status } as const;
  return placedMachine({ ...changes, metadata, status });
}

const vm = adopting();
const inspection: Inspection = {
  name: 'web.usher',
  cpus: 1,
  memoryBytes: 2 ** 30,
  boot: { kind: 'Kernel', image: 'vmlinuz' },
  disks: [],
  interfaces: [],
  hardware: 'machine pc',
  obstacles: [],
};

function planned(changes: SnapshotChanges = {}, domain: DomainChanges = {}): string {
  const seen = domainOf(vm, { name: 'web.usher', metadata: null, ...domain });
  return planText(planDomain(domainSnapshot({ live: vm, inspection, domain: seen, ...changes })));
}

const PENDING = 'tell Starting (AdoptionPending), again in 30 s';

describe('a foreign guest that a VM is to adopt', () => {
  it('is noted as its, and what it is built of beyond the spec', () => {
    const plan = planDomain(domainSnapshot({ live: vm, inspection, domain: domainOf(vm, { metadata: null }) }));
    expect(plan).to.have.nested.property('step.kind', 'Adopt');
    expect(plan).to.have.nested.property('step.metadata.asFound', 'machine pc');
    expect(plan).to.have.nested.property('step.metadata.epoch', 1);
  });

  const table: [string, string, SnapshotChanges, DomainChanges?][] = [
    ['is read live first', 'verify', { live: undefined, cached: vm }],
    [
      'is noted while it stands still, where that is granted',
      'Adopt',
      { live: adopting({ granted: { powerState: 'Paused' } }) },
      { powerState: 'Paused' },
    ],
    [
      'is noted while it is off, where that is granted',
      'Adopt',
      { live: adopting({ granted: { powerState: 'Stopped' } }) },
      { powerState: 'ShutOff' },
    ],
    ['waits where it is in another state', PENDING, {}, { powerState: 'ShutOff' }],
    ['waits where it has other CPUs', PENDING, { inspection: { ...inspection, cpus: 2 } }],
    [
      'waits where it boots otherwise',
      PENDING,
      { inspection: { ...inspection, boot: { kind: 'Kernel', image: 'other' } } },
    ],
    [
      'waits where it has something that no spec says',
      PENDING,
      { inspection: { ...inspection, obstacles: [{ field: 'a', message: 'b' }] } },
    ],
    [
      'waits where its memory is kept',
      PENDING,
      { live: adopting({ granted: { powerState: 'Stopped' } }) },
      { powerState: 'ShutOff', hasImage: true },
    ],
    ['waits where it cannot be read', PENDING, { inspection: undefined }],
    [
      'waits for the decision on a newer spec',
      'nothing',
      {
        live: adopting({
          metadata: { generation: 2, annotations: { [ADOPTED_FROM_ANNOTATION]: 'hv1' } },
          granted: { generation: 1 },
        }),
      },
    ],
    ['is not noted without a Lease', 'nothing, again in 1 s', { leaseValid: false }],
    ['is not noted while the site is on hold', 'nothing, again in 30 s', { hold: 'Held' }],
    ['is Missing where it is gone, and not started anew', 'tell Missing after Vanished', { domain: undefined }],
    [
      'is Missing where it ended right after it was noted',
      'tell Missing after Vanished',
      {},
      { powerState: 'ShutOff', metadata: {} },
    ],
    [
      "is another's where it lost its marks later",
      'tell Running (NotOurs)',
      { live: adopting({ instance: 'Running' }) },
    ],
    [
      "is another's under a later permission",
      'tell Running (NotOurs)',
      { live: adopting({ placement: { epoch: 2 } }) },
    ],
    [
      "is another's where it was to be adopted elsewhere",
      'tell Running (NotOurs)',
      { live: adopting({ metadata: { annotations: { [ADOPTED_FROM_ANNOTATION]: 'hv2' } } }) },
    ],
    [
      "is another's where no operator said so",
      'tell Running (NotOurs)',
      { live: adopting({ status: { managed: { origin: 'Created' } } }) },
    ],
  ];
  for (const [what, plan, changes, domain] of table) {
    it(what, () => {
      expect(planned(changes, domain)).to.equal(plan);
    });
  }

  it('is never started, stopped, removed or built, whatever it does', () => {
    const states: DomainPowerState[] = [
      'Running',
      'Paused',
      'Saving',
      'Incoming',
      'Outgoing',
      'ShuttingDown',
      'ShutOff',
      'Crashed',
      'Unknown',
    ];
    const other = fc.record({
      powerState: fc.constantFrom(...states),
      granted: fc.constantFrom('Running', 'Paused', 'Stopped', 'Hibernated'),
      told: fc.constantFrom(undefined, 'Starting' as const),
      cpus: fc.integer({ min: 1, max: 2 }),
      read: fc.boolean(),
      leaseValid: fc.boolean(),
    });
    fc.assert(
      fc.property(other, ({ powerState, granted, told, cpus, read, leaseValid }) => {
        const live = adopting({ granted: { powerState: granted }, ...(told === undefined ? {} : { instance: told }) });
        const seen = read ? { ...inspection, cpus } : undefined;
        const plan = planned({ live, inspection: seen, leaseValid }, { powerState });
        expect(plan).to.match(/^(Adopt|nothing|tell)/);
      }),
    );
  });
});
