import { expect } from 'chai';
import fc from 'fast-check';
import { type Outcome, outcomes } from '#crds/v1alpha1/operation-status.ts';
import { operationKind } from '#crds/v1alpha1/virtual-machine-operation.ts';
import { validatorFor } from '#crds/validate.ts';
import { operationFor } from '#test/builders/operation.ts';
import { TIME, timeAfter } from '#test/builders/time.ts';
import { beginning, begun, isComplete, type Progress, progressOf, settled, waitingIn } from './progress.ts';
import { stageOf, statusAfter } from './status.ts';

const TARGETS = Array.from({ length: 150 }, (_, index) => `web-${index + 1}`);
const operation = operationFor('op', { type: 'Shutdown', targets: { set: 'web-*' } });
const validate = validatorFor(operationKind);

type Step = readonly [kind: 'begin' | Outcome, target: string];
const steps = fc.array(
  fc.tuple(fc.constantFrom<'begin' | Outcome>('begin', ...outcomes), fc.constantFrom(...TARGETS)),
  {
    maxLength: 400,
  },
);

const after = (taken: readonly Step[]) =>
  taken.reduce<Progress>(
    (progress, [kind, name]) => {
      if (kind !== 'begin')
        return settled(progress, { name, outcome: kind, reason: 'Tested', message: `${name} was.` });
      return waitingIn(progress).includes(name) && progress.active.size < 100
        ? begun(progress, name, timeAfter(1))
        : progress;
    },
    beginning(TIME, TARGETS),
  );

describe('the progress of an operation', () => {
  it('has each target in exactly one state, and counts it once, whatever happens and however often', () => {
    fc.assert(
      fc.property(steps, (taken) => {
        const progress = after(taken);
        const { succeeded, failed, cancelled, active } = progress;
        const all = [...succeeded, ...failed, ...cancelled, ...active.keys(), ...waitingIn(progress)];
        expect(all).to.have.members(TARGETS).and.to.have.length(TARGETS.length);
        const { counts } = statusAfter(operation, {
          progress,
          stage: stageOf(operation, progress, { busy: new Map(), hold: undefined }),
          time: TIME,
        });
        const { total = 0, ...states } = counts ?? {};
        expect(Object.values(states).reduce((sum, count) => sum + count, 0)).to.equal(total);
      }),
    );
  });

  it('is read from its status as it was written there, and that status is valid and bounded', () => {
    fc.assert(
      fc.property(steps, (taken) => {
        const progress = after(taken);
        const status = statusAfter(operation, {
          progress,
          stage: stageOf(operation, progress, { busy: new Map(), hold: undefined }),
          time: TIME,
        });
        expect(progressOf(status)).to.deep.equal(progress);
        expect(validate({ ...operation, status })).to.include({ valid: true });
        expect(status.results?.length ?? 0).to.be.at.most(100);
      }),
    );
  });

  it('keeps the failures where there are too many results', () => {
    const result = (outcome: Outcome) => (progress: Progress, name: string) =>
      settled(progress, { name, outcome, reason: 'Tested', message: 'Tested.' });
    const done = TARGETS.slice(0, 100).reduce(result('Succeeded'), beginning(TIME, TARGETS));
    const mixed = TARGETS.slice(100, 130).reduce(result('Failed'), done);
    expect(mixed.results.filter(({ outcome }) => outcome === 'Failed')).to.have.length(30);
    expect(mixed.results).to.have.length(100);
    expect(result('Succeeded')(mixed, 'web-131').results.at(-1)?.name).to.equal('web-131');
    const failed = TARGETS.reduce(result('Failed'), beginning(TIME, TARGETS));
    expect(result('Succeeded')(failed, 'web-1').results).to.equal(failed.results);
  });

  it('ends in the phase that its targets came to', () => {
    const table: [Outcome[], string][] = [
      [['Succeeded', 'Succeeded'], 'Succeeded'],
      [['Succeeded', 'Failed'], 'PartiallySucceeded'],
      [['Failed', 'NotGranted'], 'Failed'],
      [['Denied', 'Denied'], 'Denied'],
      [['Denied', 'Failed'], 'Failed'],
      [['Succeeded', 'Cancelled'], 'Cancelled'],
      [['Succeeded'], 'Running'],
    ];
    for (const [came, phase] of table) {
      const progress = came.reduce<Progress>(
        (all, outcome, index) =>
          settled(all, { name: `web-${index + 1}`, outcome, reason: 'Tested', message: 'Tested.' }),
        beginning(TIME, ['web-1', 'web-2']),
      );
      expect(stageOf(operation, progress, { busy: new Map(), hold: undefined }).phase, came.join()).to.equal(phase);
      expect(isComplete(progress)).to.equal(phase !== 'Running');
    }
  });
});
