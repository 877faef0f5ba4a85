import { expect } from 'chai';
import { widgets } from './widget.ts';
import { refusal, type Workbench } from './workbench.ts';

export function describeDelete(bench: Workbench): void {
  const remove = (preconditions?: { uid?: string; resourceVersion?: string }) =>
    bench.store.delete(widgets, bench.key('a'), preconditions && { preconditions });
  const finalizers = ['usher.dev/conformance'];

  describe('delete', () => {
    it('removes the object, and is quiet when it is gone already', async () => {
      await bench.created('a');
      await remove();
      await refusal(bench.store.get(widgets, bench.key('a')), 'NotFound');
      await remove();
    });

    it('is refused with Conflict for another uid or resourceVersion', async () => {
      const { metadata } = await bench.created('a');
      await refusal(remove({ uid: '11111111-1111-4111-8111-111111111111' }), 'Conflict');
      await refusal(remove({ resourceVersion: '1' }), 'Conflict');
      const { uid = '', resourceVersion = '' } = metadata;
      await remove({ uid, resourceVersion });
      await refusal(bench.store.get(widgets, bench.key('a')), 'NotFound');
    });

    it('only marks an object with finalizers, once', async () => {
      await bench.created('a', { finalizers });
      await remove();
      const marked = await bench.store.get(widgets, bench.key('a'));
      expect(marked.metadata.deletionTimestamp).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      expect(marked.metadata).to.deep.include({ finalizers, generation: 2 });
      await remove();
      expect(await bench.store.get(widgets, bench.key('a'))).to.deep.equal(marked);
    });

    it('lets a marked object be written, but not finalized by more', async () => {
      await bench.created('a', { finalizers });
      await remove();
      expect((await bench.status('a', { phase: 'Leaving' })).status).to.deep.equal({ phase: 'Leaving' });
      const more = { metadata: { finalizers: [...finalizers, 'usher.dev/late'] } };
      await refusal(bench.store.mergePatch(widgets, bench.key('a'), more), 'Invalid');
    });

    it('is done when the last finalizer goes', async () => {
      await bench.created('a', { finalizers: [...finalizers, 'usher.dev/other'] });
      await remove();
      await bench.store.mergePatch(widgets, bench.key('a'), { metadata: { finalizers } });
      await bench.store.get(widgets, bench.key('a'));
      await bench.store.mergePatch(widgets, bench.key('a'), { metadata: { finalizers: null } });
      await refusal(bench.store.get(widgets, bench.key('a')), 'NotFound');
    });

    it('tells a watch of the mark and of the end, with the last stored state', async () => {
      await bench.created('a', { finalizers });
      const watch = await bench.watch();
      await remove();
      await bench.store.mergePatch(widgets, bench.key('a'), {
        metadata: { finalizers: null, labels: { last: 'words' } },
      });
      await watch.expectTold('MODIFIED a', 'DELETED a');
      const [marked, gone] = watch.objects;
      expect(gone?.object.metadata).to.deep.include({ finalizers, uid: marked?.object.metadata.uid });
      expect(gone?.object.metadata).not.to.have.property('labels');
      expect(Number(gone?.object.metadata.resourceVersion)).to.be.greaterThan(
        Number(marked?.object.metadata.resourceVersion),
      );
    });
  });
}
