import { expect } from 'chai';
import fc from 'fast-check';
import { candidate, demand, GIBIBYTE } from '#test/builders/hypervisor.ts';
import type { Candidate, Demand } from './candidate.ts';
import { faultsOf } from './filters.ts';
import { place } from './place.ts';

function loaded(name: string, cpus: number, gibibytes = 0, changes: Partial<Candidate> = {}): Candidate {
  return candidate({ name, assigned: { cpus, memoryBytes: gibibytes * GIBIBYTE }, ...changes });
}

function chosen(candidates: readonly Candidate[], changes: Partial<Demand> = {}): string {
  const verdict = place(demand(changes), candidates);
  return verdict.kind === 'Chosen' ? verdict.candidate.name : verdict.code;
}

function words(candidates: readonly Candidate[], changes: Partial<Demand> = {}): string {
  const verdict = place(demand(changes), candidates);
  return verdict.kind === 'Chosen' ? verdict.reason : verdict.message;
}

describe('the choice of a hypervisor', () => {
  const table: [string, string, string][] = [
    ['falls on the least loaded', chosen([loaded('hv1', 4), loaded('hv2', 2), loaded('hv3', 3)]), 'hv2'],
    ['looks at whatever is scarcer', chosen([loaded('hv1', 0, 12), loaded('hv2', 4, 0)]), 'hv2'],
    [
      'looks at shares, not at amounts',
      chosen([loaded('hv1', 8, 8, { allocatable: { cpus: 64, memoryBytes: 64 * GIBIBYTE } }), loaded('hv2', 4, 4)]),
      'hv1',
    ],
    [
      'counts the VM itself',
      chosen([loaded('hv1', 0, 0, { allocatable: { cpus: 4, memoryBytes: 64 * GIBIBYTE } }), loaded('hv2', 1)], {
        amount: { cpus: 2, memoryBytes: GIBIBYTE },
      }),
      'hv2',
    ],
    ['falls on the first by name among equals', chosen([loaded('hv3', 2), loaded('hv1', 2), loaded('hv2', 2)]), 'hv1'],
    [
      'falls on what the VM prefers, loaded or not',
      chosen([loaded('hv1', 0), loaded('hv2', 6)], { preferred: ['hv2'] }),
      'hv2',
    ],
    [
      'takes preferences in their order',
      chosen([loaded('hv1', 0), loaded('hv2', 0)], { preferred: ['hv9', 'hv2', 'hv1'] }),
      'hv2',
    ],
    [
      'does not follow a preference for what is full',
      chosen([loaded('hv1', 0), loaded('hv2', 8)], { preferred: ['hv2'] }),
      'hv1',
    ],
    [
      'passes over where guests fail to start, however much room is there',
      chosen([loaded('hv1', 0, 0, { startsFail: true }), loaded('hv2', 6)]),
      'hv2',
    ],
    [
      'falls on where guests fail to start when nothing else fits, or the VM prefers it',
      chosen([loaded('hv1', 0, 0, { startsFail: true }), loaded('hv2', 8)]),
      'hv1',
    ],
    ['cannot be made where there are none', chosen([]), 'NoHypervisors'],
    ['names the fault that all have', chosen([loaded('hv1', 8), loaded('hv2', 8)]), 'TooFewCpus'],
    [
      'names no single fault where they differ',
      chosen([loaded('hv1', 8), loaded('hv2', 0, 0, { unschedulable: true })]),
      'NoneFits',
    ],
  ];
  for (const [title, result, expected] of table) {
    it(title, () => expect(result).to.equal(expected));
  }

  it('says how many others fit', () => {
    const others = (candidates: readonly Candidate[]) => {
      const verdict = place(demand(), candidates);
      return verdict.kind === 'Chosen' ? verdict.alternatives : undefined;
    };
    expect(others([loaded('hv1', 1)])).to.equal(0);
    expect(others([loaded('hv1', 1), loaded('hv2', 8), loaded('hv3', 2)])).to.equal(1);
  });

  it('says why', () => {
    expect(words([loaded('hv1', 7, 0.3), loaded('hv2', 8), loaded('hv3', 7, 2)])).to.equal(
      'hv1 has the most room of 2 hypervisors that fit; with this VM 8 of 8 CPUs and 1.3Gi of 16Gi memory are assigned.',
    );
    expect(words([loaded('hv1', 1), loaded('hv2', 8)])).to.equal(
      'hv1 is the only hypervisor that fits; with this VM 2 of 8 CPUs and 1Gi of 16Gi memory are assigned.',
    );
    expect(words([loaded('hv1', 1)], { preferred: ['hv1'] })).to.equal(
      'hv1 is preferred by the VM and has room; with this VM 2 of 8 CPUs and 1Gi of 16Gi memory are assigned.',
    );
  });

  it('says why not, counting hypervisors by their fault', () => {
    const closed = { unschedulable: true };
    expect(words([loaded('hv1', 8, 1), loaded('hv2', 0, 0, closed), loaded('hv3', 8, 2)])).to.equal(
      'None of 3 hypervisors can take it: 1 cordoned (spec.unschedulable), 2 with too few free CPUs (1 needed). ' +
        'The most room is on hv1: 0 CPUs and 15Gi of memory are free.',
    );
    expect(words([loaded('hv2', 0, 0, closed)])).to.equal(
      'None of 1 hypervisor can take it: 1 cordoned (spec.unschedulable).',
    );
    expect(words([])).to.match(/^There is no hypervisor yet. Start usher-node-daemon/);
  });

  it('says all that is missing, and what would fit', () => {
    const amount = { cpus: 4, memoryBytes: 8 * GIBIBYTE };
    expect(words([loaded('hv1', 7, 10.06), loaded('hv2', 5, 0), loaded('hv3', 0, 12)], { amount })).to.equal(
      'None of 3 hypervisors can take it: 1 with too few free CPUs (4 needed), ' +
        '1 with too few free CPUs (4 needed) and with too little free memory (8Gi needed), ' +
        '1 with too little free memory (8Gi needed). The most room is on hv2: 3 CPUs and 16Gi of memory are free.',
    );
    expect(words([loaded('hv1', 7, 10.06)], { amount })).to.match(/hv1: 1 CPU and 5\.9Gi of memory are free\.$/);
    const shrunk = { cpus: 2, memoryBytes: GIBIBYTE / 2 };
    expect(words([loaded('hv1', 7, 10, { allocatable: shrunk })])).to.match(/hv1: 0 CPUs and 0Mi of memory/);
  });

  it('says what was passed over because guests fail to start there', () => {
    const failing = (name: string) => loaded(name, 0, 0, { startsFail: true });
    expect(words([failing('hv1'), loaded('hv2', 0)])).to.match(
      / Passed over, as a guest failed to start there a moment ago: hv1\.$/,
    );
    expect(words([failing('hv3'), failing('hv1'), loaded('hv2', 0)])).to.match(/: hv1 and 1 more\.$/);
    expect(words([failing('hv1')])).not.to.contain('Passed over');
  });

  it('names a fault that all have, even where some have more', () => {
    const amount = { cpus: 1, memoryBytes: 8 * GIBIBYTE };
    expect(chosen([loaded('hv1', 0, 12), loaded('hv2', 8, 12)], { amount })).to.equal('TooLittleMemory');
  });
});

describe('whatever there is to choose from', () => {
  const candidates = fc
    .uniqueArray(
      fc.record({
        name: fc.integer({ min: 1, max: 9 }).map((n) => `hv${n}`),
        accepted: fc.constantFrom(true, true, false),
        unschedulable: fc.constantFrom(false, false, true),
        startsFail: fc.constantFrom(false, false, true),
        assigned: fc.record({
          cpus: fc.integer({ min: 0, max: 8 }),
          memoryBytes: fc.integer({ min: 0, max: 16 }).map((n) => n * GIBIBYTE),
        }),
      }),
      { selector: ({ name }) => name },
    )
    .map((all) => all.map(candidate));
  const demands = fc
    .record({ cpus: fc.integer({ min: 1, max: 8 }), preferred: fc.subarray(['hv1', 'hv5']) })
    .map(({ cpus, preferred }) => demand({ amount: { cpus, memoryBytes: GIBIBYTE }, preferred }));

  it('the choice is the same in whatever order they come', () => {
    const shuffled = candidates.chain((all) =>
      fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
    );
    fc.assert(
      fc.property(shuffled, demands, ([one, other], asked) => {
        expect(place(asked, other)).to.deep.equal(place(asked, one));
      }),
    );
  });

  it('the one chosen has no fault, and there is one if any has none', () => {
    fc.assert(
      fc.property(candidates, demands, (all, asked) => {
        const verdict = place(asked, all);
        const fitting = all.filter((one) => faultsOf(one, asked).length === 0);
        if (verdict.kind === 'Chosen') expect(fitting).to.include(verdict.candidate);
        else expect(fitting).to.deep.equal([]);
      }),
    );
  });
});
