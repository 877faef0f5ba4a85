import { expect } from 'chai';
import { widgets } from './widget.ts';
import { refusal, type Workbench } from './workbench.ts';

export function describeMergePatch(bench: Workbench): void {
  const patch = (body: object) => bench.store.mergePatch(widgets, bench.key('a'), body);

  describe('merge patch', () => {
    it('merges objects, replaces lists, and removes what is null', async () => {
      await bench.created('a', { spec: { color: 'red', size: 3, tags: ['x', 'y'], options: { p: '1', q: '2' } } });
      const patched = await patch({ spec: { color: null, tags: ['z'], options: { q: null, r: '3' } } });
      expect(patched.spec).to.deep.equal({ size: 3, tags: ['z'], options: { p: '1', r: '3' } });
      expect(await bench.store.get(widgets, bench.key('a'))).to.deep.equal(patched);
    });

    it('counts changes of the spec in the generation, and no others', async () => {
      await bench.created('a');
      expect((await patch({ metadata: { labels: { l: '1' } } })).metadata.generation).to.equal(1);
      expect((await patch({ spec: { size: 4 } })).metadata.generation).to.equal(2);
      expect((await bench.status('a', { phase: 'Done' })).metadata.generation).to.equal(2);
    });

    it('writes nothing when it changes nothing', async () => {
      const created = await bench.created('a', { labels: { l: '1' } });
      const watch = await bench.watch();
      const same = await patch({ metadata: { labels: { l: '1' } }, spec: { color: 'red', size: null } });
      expect(same.metadata.resourceVersion).to.equal(created.metadata.resourceVersion);
      await bench.created('b');
      await watch.expectTold('ADDED b');
    });

    it('is refused with Conflict for a resourceVersion that no longer holds, even where nothing would change', async () => {
      const { metadata } = await bench.created('a');
      await patch({ spec: { size: 1 } });
      const { resourceVersion } = metadata;
      await refusal(patch({ metadata: { resourceVersion }, spec: { size: 2 } }), 'Conflict');
      await refusal(patch({ metadata: { resourceVersion } }), 'Conflict');
      expect((await bench.store.get(widgets, bench.key('a'))).spec.size).to.equal(1);
    });

    it('is accepted with the resourceVersion that holds', async () => {
      const { metadata } = await bench.created('a');
      const patched = await patch({ metadata: { resourceVersion: metadata.resourceVersion }, spec: { size: 2 } });
      expect(patched.metadata.resourceVersion).not.to.equal(metadata.resourceVersion);
    });

    it('lets one of two win that decided on the same version', async () => {
      const { metadata } = await bench.created('a');
      const bodies = [1, 2].map((size) => ({
        metadata: { resourceVersion: metadata.resourceVersion },
        spec: { size },
      }));
      const outcomes = await Promise.allSettled(bodies.map(patch));
      expect(outcomes.map(({ status }) => status).sort()).to.deep.equal(['fulfilled', 'rejected']);
    });

    it('never takes an object for its successor of the same name', async () => {
      const { metadata } = await bench.created('a');
      await bench.store.delete(widgets, bench.key('a'));
      await bench.created('a');
      await refusal(patch({ metadata: { resourceVersion: metadata.resourceVersion }, spec: { size: 2 } }), 'Conflict');
    });

    it('refuses to remove the resourceVersion', async () => {
      await bench.created('a');
      await refusal(patch({ metadata: { resourceVersion: null }, spec: { size: 2 } }), 'Invalid');
    });

    it('refuses another name, namespace, kind, uid or deletionTimestamp', async () => {
      await bench.created('a');
      await refusal(patch({ metadata: { name: 'b' } }), 'Invalid');
      await refusal(patch({ metadata: { namespace: 'b' } }), 'Invalid');
      await refusal(patch({ kind: 'Gadget' }), 'Invalid');
      await refusal(patch({ metadata: { uid: 'another' } }), 'Invalid');
      await refusal(patch({ metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }), 'Invalid');
    });

    it('overlooks another creationTimestamp or generation', async () => {
      const { metadata } = await bench.created('a');
      const patched = await patch({ metadata: { creationTimestamp: '2020-01-01T00:00:00Z', generation: 7 } });
      expect(patched.metadata).to.deep.include({ creationTimestamp: metadata.creationTimestamp, generation: 1 });
    });

    it('refuses unknown fields', async () => {
      await bench.created('a');
      await refusal(patch({ spec: { colour: 'blue' } }), 'Invalid');
    });

    it('has NotFound for what is not there', async () => {
      await refusal(patch({ spec: { size: 1 } }), 'NotFound');
    });
  });
}
