import { expect } from 'chai';
import { candidate, demand, GIBIBYTE } from '#test/builders/hypervisor.ts';
import type { Candidate, Demand } from './candidate.ts';
import { faultsOf } from './filters.ts';

const silent = { yes: false, code: 'Silent', why: 'It is silent.', brief: false } as const;
const NONE = { cpus: 0, memoryBytes: 0 };
/** 8 CPUs and 16 GiB, given out four times over. */
const OVERCOMMITTED = {
  cpus: 32,
  memoryBytes: 64 * GIBIBYTE,
  guaranteed: { cpuMillis: 8000, memoryBytes: 16 * GIBIBYTE },
};
const ssd = { matchLabels: { disk: 'ssd' } };

describe('a hypervisor', () => {
  const table: [string, Partial<Candidate>, Partial<Demand>, string][] = [
    ['can take what fits', {}, {}, ''],
    ['can take what fits exactly', {}, { amount: { cpus: 8, memoryBytes: 16 * GIBIBYTE } }, ''],
    ['cannot before it was accepted', { accepted: false }, {}, 'not accepted'],
    ['cannot while it is not reachable', { reachable: silent }, {}, 'not reachable'],
    ['cannot while it may come back in a moment', { reachable: { ...silent, brief: true } }, {}, 'not reachable'],
    ['cannot while it is cordoned', { unschedulable: true }, {}, 'cordoned (spec.unschedulable)'],
    ['cannot where it lacks a label', {}, { selector: ssd }, 'not matching spec.placement.requiredHypervisorSelector'],
    ['can where it has the label', { labels: { disk: 'ssd' } }, { selector: ssd }, ''],
    [
      'cannot with too few CPUs left',
      { assigned: { cpus: 8, memoryBytes: 0 } },
      {},
      'with too few free CPUs (1 needed)',
    ],
    [
      'cannot with too little memory left',
      { assigned: { cpus: 0, memoryBytes: 16 * GIBIBYTE - 1 } },
      {},
      'with too little free memory (1Gi needed)',
    ],
    [
      'cannot before it has said what it has',
      { allocatable: { cpus: 0, memoryBytes: 0 } },
      {},
      'whose daemon has not said yet what the machine has',
    ],
    ['cannot right after its daemon refused it', {}, { refusedBy: ['hv1'] }, 'whose daemon refused it a moment ago'],
    ['can what another refused', {}, { refusedBy: ['hv2'] }, ''],
    [
      'lacks CPUs and memory, where it lacks both',
      { assigned: { cpus: 8, memoryBytes: 16 * GIBIBYTE } },
      { amount: { cpus: 2, memoryBytes: 1.26 * GIBIBYTE }, refusedBy: ['hv1'] },
      'with too few free CPUs (2 needed), with too little free memory (1.3Gi needed)',
    ],
    [
      'cannot where CPU time cannot be guaranteed there',
      {},
      { guaranteesCpu: true },
      'that cannot guarantee or limit CPU time',
    ],
    [
      'cannot with too few CPUs left to reserve, however overcommitted it is',
      {
        guaranteesCpu: true,
        allocatable: OVERCOMMITTED,
        assigned: { ...NONE, guaranteed: { cpuMillis: 7600, memoryBytes: 0 } },
      },
      {
        guaranteesCpu: true,
        amount: { cpus: 1, memoryBytes: GIBIBYTE, guaranteed: { cpuMillis: 500, memoryBytes: 0 } },
      },
      'with too few CPUs left to reserve (500m needed)',
    ],
    [
      'can with just enough left to reserve',
      {
        guaranteesCpu: true,
        allocatable: OVERCOMMITTED,
        assigned: { ...NONE, guaranteed: { cpuMillis: 7500, memoryBytes: 0 } },
      },
      {
        guaranteesCpu: true,
        amount: { cpus: 1, memoryBytes: GIBIBYTE, guaranteed: { cpuMillis: 500, memoryBytes: 0 } },
      },
      '',
    ],
    [
      'cannot with too little memory left to guarantee, however overcommitted it is',
      { allocatable: OVERCOMMITTED, assigned: { ...NONE, guaranteed: { cpuMillis: 0, memoryBytes: 16 * GIBIBYTE } } },
      { amount: { cpus: 1, memoryBytes: GIBIBYTE, guaranteed: { cpuMillis: 0, memoryBytes: GIBIBYTE } } },
      'with too little memory left to guarantee (1Gi needed)',
    ],
    [
      'can what asks for no guarantee though all that can be guaranteed is',
      {
        allocatable: OVERCOMMITTED,
        assigned: { ...NONE, guaranteed: { cpuMillis: 8000, memoryBytes: 16 * GIBIBYTE } },
      },
      {},
      '',
    ],
    [
      'is called cordoned, and not too small besides',
      { unschedulable: true, assigned: { cpus: 8, memoryBytes: 16 * GIBIBYTE } },
      {},
      'cordoned (spec.unschedulable)',
    ],
    ['is called unreachable rather than cordoned', { reachable: silent, unschedulable: true }, {}, 'not reachable'],
  ];
  for (const [title, given, asked, fault] of table) {
    const texts = faultsOf(candidate(given), demand(asked)).map(({ text }) => text);
    it(title, () => expect(texts.join(', ')).to.equal(fault));
  }
});
