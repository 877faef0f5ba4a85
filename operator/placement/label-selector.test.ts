import { expect } from 'chai';
import type { LabelSelector } from '#crds/v1alpha1/fragments.ts';
import { selectorMatches } from './label-selector.ts';

const labels = { disk: 'ssd', zone: 'a' };
type Expression = NonNullable<LabelSelector['matchExpressions']>[number];

describe('a label selector', () => {
  const table: [string, LabelSelector, boolean][] = [
    ['that is empty matches everything', {}, true],
    ['matches labels that are all there', { matchLabels: { disk: 'ssd', zone: 'a' } }, true],
    ['does not match another value', { matchLabels: { disk: 'hdd' } }, false],
    ['does not match a label that is missing', { matchLabels: { rack: '1' } }, false],
    ['does not take what every object inherits for a label', { matchLabels: { constructor: 'x' } }, false],
    ['must hold in all its parts', { matchLabels: { disk: 'ssd' }, matchExpressions: [exists('rack')] }, false],
  ];
  for (const [title, selector, matches] of table) {
    it(title, () => expect(selectorMatches(selector, labels)).to.equal(matches));
  }

  const expressions: [string, Expression, boolean][] = [
    ['In holds for one of the values', { key: 'zone', operator: 'In', values: ['a', 'b'] }, true],
    ['In does not hold for another value', { key: 'zone', operator: 'In', values: ['b'] }, false],
    ['In does not hold where the label is missing', { key: 'rack', operator: 'In', values: ['1'] }, false],
    ['In without values holds for nothing', { key: 'zone', operator: 'In' }, false],
    ['NotIn holds for another value', { key: 'zone', operator: 'NotIn', values: ['b'] }, true],
    ['NotIn does not hold for one of the values', { key: 'zone', operator: 'NotIn', values: ['a'] }, false],
    ['NotIn holds where the label is missing', { key: 'rack', operator: 'NotIn', values: ['1'] }, true],
    ['Exists holds where the label is there', exists('zone'), true],
    ['Exists does not hold for what every object inherits', exists('toString'), false],
    ['DoesNotExist holds where the label is missing', { key: 'rack', operator: 'DoesNotExist' }, true],
    ['DoesNotExist does not hold where it is there', { key: 'zone', operator: 'DoesNotExist' }, false],
  ];
  for (const [title, expression, holds] of expressions) {
    it(title, () => expect(selectorMatches({ matchExpressions: [expression] }, labels)).to.equal(holds));
  }

  function exists(key: string): Expression {
    return { key, operator: 'Exists' };
  }
});
