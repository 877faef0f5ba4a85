import { expect } from 'chai';
import { configMaps, widgets } from './widget.ts';
import { refusal, type Workbench } from './workbench.ts';

export function describeStatus(bench: Workbench): void {
  const patch = (body: object) => bench.store.mergePatch(widgets, bench.key('a'), body, { subresource: 'status' });

  describe('writes of status', () => {
    it('change the status and nothing else', async () => {
      const { metadata, spec } = await bench.created('a', { labels: { l: '1' } });
      const patched = await patch({
        metadata: { labels: { l: '2' }, finalizers: ['usher.dev/x'], annotations: { a: 'b' } },
        spec: { color: 'blue' },
        status: { phase: 'Done', place: 'p1' },
      });
      expect(patched.status).to.deep.equal({ phase: 'Done', place: 'p1' });
      expect(patched.spec).to.deep.equal(spec);
      expect(patched.metadata.labels).to.deep.equal({ l: '1' });
      expect(patched.metadata).not.to.have.any.keys('finalizers', 'annotations');
      expect(patched.metadata.resourceVersion).not.to.equal(metadata.resourceVersion);
    });

    it('are left alone by all other writes', async () => {
      await bench.created('a');
      await bench.status('a', { phase: 'Done' });
      const patched = await bench.store.mergePatch(widgets, bench.key('a'), {
        metadata: { labels: { l: '1' } },
        status: { phase: 'Undone', place: 'p1' },
      });
      expect(patched.status).to.deep.equal({ phase: 'Done' });
      expect(patched.metadata.labels).to.deep.equal({ l: '1' });
    });

    it('are refused with Conflict for a resourceVersion that no longer holds', async () => {
      const { metadata } = await bench.created('a');
      await bench.status('a', { phase: 'Busy' });
      await refusal(
        patch({ metadata: { resourceVersion: metadata.resourceVersion }, status: { phase: 'X' } }),
        'Conflict',
      );
    });

    it('overlook a wrong uid: only the resourceVersion protects', async () => {
      const { metadata } = await bench.created('a');
      const patched = await patch({ metadata: { uid: 'another' }, status: { phase: 'Done' } });
      expect(patched.status).to.deep.equal({ phase: 'Done' });
      expect(patched.metadata.uid).to.equal(metadata.uid);
    });

    it('write nothing when they change nothing', async () => {
      await bench.created('a');
      const { metadata } = await bench.status('a', { phase: 'Done' });
      const same = await patch({ metadata: { labels: { l: '2' } }, spec: { size: 9 }, status: { phase: 'Done' } });
      expect(same.metadata.resourceVersion).to.equal(metadata.resourceVersion);
    });

    it('are refused where they have unknown fields', async () => {
      await bench.created('a');
      await refusal(patch({ status: { faze: 'Done' } }), 'Invalid');
    });

    it('have NotFound where the kind has no status of its own', async () => {
      const { apiVersion, kind } = configMaps;
      await bench.store.create(configMaps, { apiVersion, kind, metadata: { name: 'a', namespace: bench.namespace } });
      const call = bench.store.mergePatch(configMaps, bench.key('a'), { data: {} }, { subresource: 'status' });
      await refusal(call, 'NotFound');
    });
  });
}
