import { expect } from 'chai';
import type { Widget } from './widget.ts';
import { widgets } from './widget.ts';
import { refusal, type Workbench } from './workbench.ts';

export function describeApply(bench: Workbench): void {
  const apply = (
    fieldManager: string,
    spec: Widget['spec'],
    more: { force?: boolean; status?: Widget['status'] } = {},
  ) => {
    const { status, ...options } = more;
    const object = bench.newWidget('a', { spec, ...(status && { status }) });
    return bench.store.apply(widgets, object, { fieldManager, ...options });
  };

  describe('server-side apply', () => {
    it('creates what is not there', async () => {
      const applied = await apply('one', { color: 'red' });
      expect(applied.metadata.generation).to.equal(1);
      expect(await bench.store.get(widgets, bench.key('a'))).to.deep.equal(applied);
    });

    it('adds the fields of several managers', async () => {
      await apply('one', { color: 'red', options: { p: '1' } });
      const { spec } = await apply('two', { size: 3, options: { q: '2' } });
      expect(spec).to.deep.equal({ color: 'red', size: 3, options: { p: '1', q: '2' } });
    });

    it('changes its own fields, and removes those it no longer names', async () => {
      await apply('one', { color: 'red', size: 3, options: { p: '1', q: '2' } });
      const { spec } = await apply('one', { color: 'blue', options: { q: '2' } });
      expect(spec).to.deep.equal({ color: 'blue', options: { q: '2' } });
    });

    it('leaves no empty object behind', async () => {
      await apply('one', { color: 'red', options: { p: '1' } });
      expect((await apply('one', { color: 'red' })).spec).to.deep.equal({ color: 'red' });
      expect((await apply('one', { color: 'red', options: {} })).spec).to.deep.equal({ color: 'red', options: {} });
    });

    it('is refused with Conflict, naming the manager and the field, where another owns it', async () => {
      await apply('one', { color: 'red' });
      const { message } = await refusal(apply('two', { color: 'blue' }), 'Conflict');
      expect(message).to.contain('"one"').and.to.contain('.spec.color');
      expect((await bench.store.get(widgets, bench.key('a'))).spec.color).to.equal('red');
    });

    it('takes the field over when forced', async () => {
      await apply('one', { color: 'red', size: 3 });
      expect((await apply('two', { color: 'blue' }, { force: true })).spec).to.deep.equal({ color: 'blue', size: 3 });
      await refusal(apply('one', { color: 'red', size: 3 }), 'Conflict');
    });

    it('shares a field that both want the same, until both let go', async () => {
      await apply('one', { color: 'red' });
      await apply('two', { color: 'red' });
      expect((await apply('one', { size: 1 })).spec).to.deep.equal({ color: 'red', size: 1 });
      expect((await apply('two', { size: 1 })).spec).to.deep.equal({ size: 1 });
    });

    it('respects what plain writes have set', async () => {
      await apply('one', { color: 'red', size: 3 });
      await bench.store.mergePatch(widgets, bench.key('a'), { spec: { color: 'black' } });
      const { message } = await refusal(apply('one', { color: 'red', size: 3 }), 'Conflict');
      expect(message).to.contain(`"${bench.opened.manager}"`);
      expect((await apply('one', { size: 4 })).spec).to.deep.equal({ color: 'black', size: 4 });
    });

    it('respects what was created', async () => {
      await bench.created('a', { spec: { color: 'red' } });
      await refusal(apply('one', { color: 'blue' }), 'Conflict');
      expect((await apply('one', { color: 'red', size: 1 })).spec).to.deep.equal({ color: 'red', size: 1 });
    });

    it('takes a list for one field', async () => {
      await apply('one', { tags: ['x'] });
      await refusal(apply('two', { tags: ['x', 'y'] }), 'Conflict');
      expect((await apply('one', { tags: ['z'] })).spec.tags).to.deep.equal(['z']);
    });

    it('leaves the status alone', async () => {
      await bench.created('a');
      await bench.status('a', { phase: 'Done' });
      const applied = await apply('one', { size: 1 }, { status: { phase: 'Undone' } });
      expect(applied.status).to.deep.equal({ phase: 'Done' });
    });

    it('writes nothing when it says the same again', async () => {
      await apply('one', { color: 'red' });
      const second = await apply('one', { color: 'red' });
      const third = await apply('one', { color: 'red' });
      expect(third.metadata.resourceVersion).to.equal(second.metadata.resourceVersion);
    });

    it('refuses unknown fields, and a resourceVersion that no longer holds', async () => {
      const { metadata } = await bench.created('a');
      await bench.status('a', { phase: 'Done' });
      const unknown: object = { colour: 'red' };
      await refusal(apply('one', unknown), 'Invalid');
      const object = bench.newWidget('a', { spec: { size: 1 } });
      const outdated = { ...object, metadata: { ...object.metadata, resourceVersion: metadata.resourceVersion ?? '' } };
      await refusal(bench.store.apply(widgets, outdated, { fieldManager: 'one' }), 'Conflict');
    });
  });
}
