import { expect } from 'chai';
import type { JsonPatchOperation } from '../store.ts';
import { widgets } from './widget.ts';
import { refusal, type Workbench } from './workbench.ts';

export function describeJsonPatch(bench: Workbench): void {
  const patch = (...operations: JsonPatchOperation[]) => bench.store.jsonPatch(widgets, bench.key('a'), operations);

  describe('JSON patch', () => {
    it('adds, replaces and removes, in order', async () => {
      await bench.created('a', { spec: { color: 'red', size: 3 } });
      const { spec } = await patch(
        { op: 'add', path: '/spec/tags', value: ['b'] },
        { op: 'add', path: '/spec/tags/-', value: 'c' },
        { op: 'add', path: '/spec/tags/0', value: 'a' },
        { op: 'replace', path: '/spec/tags/2', value: 'd' },
        { op: 'remove', path: '/spec/tags/1' },
        { op: 'replace', path: '/spec/color', value: 'blue' },
        { op: 'remove', path: '/spec/size' },
      );
      expect(spec).to.deep.equal({ color: 'blue', tags: ['a', 'd'] });
    });

    it('reads names with slashes and tildes', async () => {
      await bench.created('a', { spec: { options: { 'a/b': '1', 'c~d': '2' } } });
      const { spec } = await patch(
        { op: 'replace', path: '/spec/options/a~1b', value: '3' },
        { op: 'remove', path: '/spec/options/c~0d' },
      );
      expect(spec.options).to.deep.equal({ 'a/b': '3' });
    });

    it('writes where all tests hold', async () => {
      const { metadata } = await bench.created('a');
      const operations: JsonPatchOperation[] = [
        { op: 'test', path: '/metadata/uid', value: metadata.uid },
        { op: 'add', path: '/status', value: { phase: 'Done' } },
      ];
      const patched = await bench.store.jsonPatch(widgets, bench.key('a'), operations, { subresource: 'status' });
      expect(patched.status).to.deep.equal({ phase: 'Done' });
    });

    it('is refused as Invalid where a test fails, and writes nothing', async () => {
      const { metadata } = await bench.created('a');
      await refusal(
        patch({ op: 'replace', path: '/spec/color', value: 'blue' }, { op: 'test', path: '/metadata/uid', value: 'x' }),
        'Invalid',
      );
      const { metadata: after } = await bench.store.get(widgets, bench.key('a'));
      expect(after.resourceVersion).to.equal(metadata.resourceVersion);
    });

    it('takes a missing field for null in a test, and a replacement of it for an addition', async () => {
      await bench.created('a', { spec: {} });
      const { spec } = await patch(
        { op: 'test', path: '/spec/size', value: null },
        { op: 'replace', path: '/spec/size', value: 4 },
      );
      expect(spec).to.deep.equal({ size: 4 });
    });

    it('is refused where it removes what is not there, or adds to it', async () => {
      await bench.created('a', { spec: { tags: ['x'] } });
      await refusal(patch({ op: 'remove', path: '/spec/size' }), 'Invalid');
      await refusal(patch({ op: 'add', path: '/spec/options/p', value: '1' }), 'Invalid');
      await refusal(patch({ op: 'add', path: '/spec/tags/2', value: 'y' }), 'Invalid');
      await refusal(patch({ op: 'replace', path: '/spec/tags/1', value: 'y' }), 'Invalid');
    });

    it('is refused with Conflict where it sets another resourceVersion', async () => {
      await bench.created('a');
      await refusal(patch({ op: 'replace', path: '/metadata/resourceVersion', value: '1' }), 'Conflict');
    });

    it('writes nothing when it changes nothing', async () => {
      const { metadata } = await bench.created('a');
      const same = await patch({ op: 'replace', path: '/spec/color', value: 'red' });
      expect(same.metadata.resourceVersion).to.equal(metadata.resourceVersion);
    });
  });
}
