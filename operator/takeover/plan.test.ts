import { expect } from 'chai';
import fc from 'fast-check';
import type { Proof } from '#crds/v1alpha1/virtual-machine-status.ts';
import { type LeaseView, planTakeover, type Snapshot, type TakeoverPlan } from './plan.ts';

const PROMISE = { deadlineSeconds: 60, killSeconds: 10 };
const GUARDED: LeaseView = { kind: 'Theirs', renewal: 'r1', promise: PROMISE };
const UNGUARDED: LeaseView = { kind: 'Theirs', renewal: 'r1', promise: undefined };
const PROOF: Proof = { kind: 'Guard', hypervisor: 'hv1', message: 'dead' };
const WAITING = { timeoutMs: 60_000, guarded: true };
const MINUTE = 60_000;

function snapshot(changes: Partial<Snapshot> = {}): Snapshot {
  return {
    hypervisor: 'hv1',
    silentForMs: 2 * MINUTE,
    silentInMs: undefined,
    waiting: [WAITING],
    silent: 1,
    known: 4,
    mostSilentPercent: 50,
    lease: GUARDED,
    canFence: false,
    memory: {},
    now: 1_000_000,
    ...changes,
  };
}

function told(plan: TakeoverPlan): string {
  switch (plan.kind) {
    case 'Take':
      return `Take ${plan.renewal} ${plan.proof.kind}`;
    case 'Wait':
      return `Wait: ${plan.why ?? ''}${plan.again === undefined ? '' : ` again in ${plan.again / 1000} s`}`;
    case 'Nothing':
      return `Nothing${plan.again === undefined ? '' : ` again in ${plan.again / 1000} s`}`;
    case 'Release':
    case 'Fence':
    case 'Go':
      return plan.kind;
  }
}

describe('what is done about a silent hypervisor', () => {
  const fenced = (outcome: 'Fenced' | 'Failed', at: number) => ({
    fenced: {
      after: 'r1',
      at,
      outcome: outcome === 'Fenced' ? { kind: outcome, message: 'off' } : { kind: outcome, why: 'no answer' },
    } as const,
  });
  const taken: LeaseView = { kind: 'Taken', renewal: 'r2', proof: PROOF };
  const table: [string, Partial<Snapshot>, string][] = [
    ['is nothing while it is heard', { silentForMs: undefined }, 'Nothing'],
    ['is nothing where nobody waits', { waiting: [] }, 'Nothing'],
    [
      'is to look again once we may say that it is silent',
      { silentForMs: undefined, silentInMs: 9_000 },
      'Nothing again in 9 s',
    ],
    ['is to wait for as long as is declared', { silentForMs: 45_000 }, 'Wait:  again in 15 s'],
    [
      'is to give the guard its time',
      { silentForMs: 70_000 },
      'Wait: the guard of hv1 is given the time to stop it. again in 8.5 s',
    ],
    ['is to take its Lease when the guard has had its time', {}, 'Take r1 Guard'],
    [
      'is nothing more where the guard knew of none of them',
      { waiting: [{ ...WAITING, guarded: false }] },
      'Wait: no guard of hv1 had promised to stop it, and this site has no fencing.',
    ],
    ['is to fence it where nothing else proves it', { lease: UNGUARDED, canFence: true }, 'Fence'],
    [
      'is to take its Lease once it was fenced',
      { lease: UNGUARDED, canFence: true, memory: fenced('Fenced', 0) },
      'Take r1 Fenced',
    ],
    [
      'is to wait after it could not be fenced',
      { lease: UNGUARDED, canFence: true, memory: fenced('Failed', 990_000) },
      'Wait: fencing hv1 failed, and is tried again: no answer again in 50 s',
    ],
    [
      'is to fence it again after a while',
      { lease: UNGUARDED, canFence: true, memory: fenced('Failed', 900_000) },
      'Fence',
    ],
    [
      'is to fence it again where its daemon had come back since',
      { lease: { ...UNGUARDED, renewal: 'r9' }, canFence: true, memory: fenced('Fenced', 990_000) },
      'Fence',
    ],
    [
      'is nothing where more than half of the site is silent',
      { silent: 3, known: 4 },
      'Wait: 3 of 4 hypervisors are silent at once, more than 50 %: the fault is hardly theirs, and nothing is taken over.',
    ],
    ['is to go on where half of the site is', { silent: 2, known: 4 }, 'Take r1 Guard'],
    [
      'is to place them while it is proven',
      { memory: { recovery: { kind: 'Proven', proof: PROOF, until: 1_000_001 } } },
      'Go',
    ],
    [
      'is to let it come back where nobody could take what is left',
      { lease: taken, memory: { recovery: { kind: 'Proven', proof: PROOF, until: 1_000_000 }, provenAt: 940_000 } },
      'Wait: nobody could take it; it is tried again. again in 540 s',
    ],
    [
      'is to try again later with the proof there was',
      { lease: taken, memory: { provenAt: 400_000 } },
      'Take r2 Guard',
    ],
    ['is to take up the proof of the operator before us', { lease: taken }, 'Take r2 Guard'],
    ['is to give its Lease back when all were placed', { lease: taken, waiting: [] }, 'Release'],
    [
      'is nothing where somebody deleted its Lease',
      { lease: { kind: 'Missing' } },
      'Wait: the heartbeat Lease of hv1 was deleted.',
    ],
  ];
  for (const [title, changes, expected] of table) {
    it(title, () => expect(told(planTakeover(snapshot(changes)))).to.equal(expected));
  }

  it('is never to take a Lease by the guard before its time was up, nor without a promise', () => {
    const given = fc.record({
      lease: fc.constantFrom<LeaseView>(GUARDED, UNGUARDED, { kind: 'Missing' }),
      waiting: fc.array(fc.record({ timeoutMs: fc.nat(600_000), guarded: fc.boolean() }), { maxLength: 4 }),
      silentForMs: fc.nat(400_000),
      silent: fc.nat(10),
      canFence: fc.boolean(),
    });
    fc.assert(
      fc.property(given, ({ lease, waiting, silentForMs, ...others }) => {
        const plan = planTakeover(snapshot({ lease, waiting, silentForMs, known: 10, ...others }));
        if (plan.kind !== 'Take') return;
        expect(plan.proof.kind).to.equal('Guard');
        expect(lease).to.equal(GUARDED);
        expect(silentForMs).to.be.greaterThan(70_000);
        expect(others.silent).to.be.at.most(5);
        expect(waiting.some(({ timeoutMs, guarded }) => guarded && timeoutMs <= silentForMs)).to.equal(true);
      }),
    );
  });
});
