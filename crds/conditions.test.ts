import { expect } from 'chai';
import type { Condition } from '#crds/v1alpha1/fragments.ts';
import {
  type ConditionInput,
  findCondition,
  isConditionTrue,
  removeCondition,
  setCondition,
  setConditions,
} from './conditions.ts';

const NOON = '2026-03-01T12:00:00Z';
const MINUTE_LATER = '2026-03-01T12:01:00Z';

function ready(status: Condition['status'], changes: Partial<ConditionInput> = {}): ConditionInput {
  return { type: 'Ready', status, reason: 'Tested', message: 'It is tested.', observedGeneration: 1, ...changes };
}

describe('setCondition', () => {
  const first = setCondition([], ready('False'), NOON);

  it('adds a new condition with the time of now', () => {
    expect(first).to.deep.equal([{ ...ready('False'), lastTransitionTime: '2026-03-01T12:00:00Z' }]);
  });

  it('gives back the same array when nothing changes', () => {
    expect(setCondition(first, ready('False'), MINUTE_LATER)).to.equal(first);
  });

  it('keeps the time of the transition while only the reason, the message or the generation change', () => {
    for (const change of [{ reason: 'Other' }, { message: 'Otherwise.' }, { observedGeneration: 2 }]) {
      const next = setCondition(first, ready('False', change), MINUTE_LATER);
      expect(next[0]).to.deep.equal({ ...first[0], ...change });
    }
  });

  it('moves the time of the transition when the status changes', () => {
    expect(setCondition(first, ready('True'), MINUTE_LATER)[0]?.lastTransitionTime).to.equal('2026-03-01T12:01:00Z');
  });

  it('keeps the place of a condition, leaves the others alone and does not touch the array it was given', () => {
    const two = setCondition(first, ready('True', { type: 'Placed' }), NOON);
    const three = setCondition(two, ready('True'), NOON);
    expect(three.map(({ type }) => type)).to.deep.equal(['Ready', 'Placed']);
    expect(three[1]).to.equal(two[1]);
    expect(two[0]?.status).to.equal('False');
  });
});

describe('setConditions', () => {
  it('sets each in turn, all decided for the same generation', () => {
    const { observedGeneration: _later, ...statement } = ready('True');
    const statements = [statement, { ...statement, type: 'Placed' }];
    const told = setConditions(undefined, statements, { observedGeneration: 3, time: NOON });
    expect(told).to.deep.equal(
      statements.map((said) => ({ ...said, observedGeneration: 3, lastTransitionTime: NOON })),
    );
    expect(setConditions(told, statements, { observedGeneration: 3, time: MINUTE_LATER })).to.equal(told);
  });
});

describe('the readers of conditions', () => {
  const conditions = setCondition([], ready('True'), NOON);

  it('find a condition by its type, also where there is no list yet', () => {
    expect(findCondition(conditions, 'Ready')?.status).to.equal('True');
    expect(findCondition(conditions, 'Placed')).to.equal(undefined);
    expect(findCondition(undefined, 'Ready')).to.equal(undefined);
  });

  it('call only the status True true', () => {
    expect(isConditionTrue(conditions, 'Ready')).to.equal(true);
    expect(isConditionTrue(setCondition([], ready('Unknown'), NOON), 'Ready')).to.equal(false);
    expect(isConditionTrue(undefined, 'Ready')).to.equal(false);
  });

  it('remove a condition, or give back the same array when there is none', () => {
    expect(removeCondition(conditions, 'Ready')).to.deep.equal([]);
    expect(removeCondition(conditions, 'Placed')).to.equal(conditions);
  });
});
