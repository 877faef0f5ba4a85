import { expect } from 'chai';
import { widgets } from './widget.ts';
import { refusal, type Workbench } from './workbench.ts';

export function describeWatch(bench: Workbench): void {
  const patch = (name: string, body: object) => bench.store.mergePatch(widgets, bench.key(name), body);

  describe('watch', () => {
    it('tells of everything after its version, in order, each once', async () => {
      await bench.created('before');
      const watch = await bench.watch();
      await bench.created('a');
      await patch('a', { spec: { color: 'blue' } });
      await bench.status('a', { phase: 'Done' });
      await bench.created('b');
      await bench.store.delete(widgets, bench.key('a'));
      await watch.expectTold('ADDED a', 'MODIFIED a', 'MODIFIED a', 'ADDED b', 'DELETED a');
      const versions = watch.objects.map(({ object }) => Number(object.metadata.resourceVersion));
      expect(versions).to.deep.equal([...new Set(versions)].sort((a, b) => a - b));
    });

    it('tells of what happened between the list and the watch', async () => {
      const { resourceVersion } = await bench.store.list(widgets, { namespace: bench.namespace });
      await bench.created('a');
      await bench.store.delete(widgets, bench.key('a'));
      const again = await bench.created('a');
      const watch = bench.watchFrom(widgets, { resourceVersion });
      await watch.expectTold('ADDED a', 'DELETED a', 'ADDED a');
      expect(watch.objects.at(-1)?.object).to.deep.equal(again);
    });

    it('goes on where another left off', async () => {
      const first = await bench.watch();
      const { metadata } = await bench.created('a');
      await first.expectTold('ADDED a');
      await first.stopped();
      await bench.created('b');
      const second = bench.watchFrom(widgets, { resourceVersion: metadata.resourceVersion ?? '' });
      await second.expectTold('ADDED b');
    });

    it('keeps to its namespace', async () => {
      const { resourceVersion } = await bench.store.list(widgets);
      const elsewhere = bench.watchFrom(widgets, { resourceVersion, namespace: `${bench.namespace}-not` });
      const here = bench.watchFrom(widgets, { resourceVersion });
      await bench.created('a');
      await here.expectTold('ADDED a');
      expect(elsewhere.told).to.deep.equal([]);
    });

    it('with a selector of labels shows objects enter and leave, and leave in their old state', async () => {
      const watch = await bench.watch({ labelSelector: 'on=yes' });
      await bench.created('a');
      await patch('a', { metadata: { labels: { on: 'yes' } } });
      await patch('a', { spec: { color: 'blue' } });
      const left = await patch('a', { metadata: { labels: { on: 'no' } }, spec: { color: 'green' } });
      await patch('a', { metadata: { labels: { on: 'yes' } } });
      await watch.expectTold('ADDED a', 'MODIFIED a', 'DELETED a', 'ADDED a');
      const gone = watch.objects[2]?.object;
      expect(gone?.spec.color).to.equal('blue');
      expect(gone?.metadata.labels).to.deep.equal({ on: 'yes' });
      expect(gone?.metadata.resourceVersion).to.equal(left.metadata.resourceVersion);
    });

    it('with a selector of a status field shows a move as DELETED with the old place, at the new version', async () => {
      await bench.created('a');
      await bench.status('a', { place: 'here', phase: 'Busy' });
      const watch = await bench.watch({ fieldSelector: 'status.place=here' });
      const moved = await bench.status('a', { place: 'there', phase: 'Moved' });
      await watch.expectTold('DELETED a');
      const gone = watch.objects[0]?.object;
      expect(gone?.status).to.deep.equal({ place: 'here', phase: 'Busy' });
      expect(gone?.metadata.resourceVersion).to.equal(moved.metadata.resourceVersion);
    });

    it('of one name tells of that object alone', async () => {
      const watch = await bench.watch({ fieldSelector: 'metadata.name=b' });
      await bench.created('a');
      await bench.created('b');
      await watch.expectTold('ADDED b');
    });

    it('shows an object again under its name with another uid', async () => {
      const first = await bench.created('a');
      const watch = await bench.watch();
      await bench.store.delete(widgets, bench.key('a'));
      const second = await bench.created('a');
      await watch.expectTold('DELETED a', 'ADDED a');
      const uids = watch.objects.map(({ object }) => object.metadata.uid);
      expect(uids).to.deep.equal([first.metadata.uid, second.metadata.uid]);
    });

    it('ends without an error when its signal aborts', async () => {
      const watch = await bench.watch();
      await bench.created('a');
      await watch.expectTold('ADDED a');
      await watch.stopped();
      expect(watch.told).to.deep.equal(['ADDED a']);
    });

    it('ends without an error after its time', async () => {
      const watch = await bench.watch({ timeoutSeconds: 1 });
      await bench.created('a');
      await watch.expectTold('ADDED a');
      await bench.subject.pass(1500);
      await watch.ended();
    });

    it('tells before its end how far it is, though nothing that it selects has happened', async () => {
      const watch = await bench.watch({ fieldSelector: 'metadata.name=other', timeoutSeconds: 4 });
      const { metadata } = await bench.created('a');
      await bench.subject.pass(5000);
      await watch.ended();
      expect(Number(watch.bookmarks.at(-1))).to.be.at.least(Number(metadata.resourceVersion));
    });

    it('from a version that is yet to come is silent', async () => {
      const { resourceVersion } = await bench.store.list(widgets);
      const future = String(Number(resourceVersion) + 1000);
      const watch = bench.watchFrom(widgets, { resourceVersion: future, timeoutSeconds: 3 });
      await bench.created('a');
      await bench.subject.pass(4000);
      await watch.ended();
      expect(watch.events).to.deep.equal([]);
    });

    it('has Gone for a version that is forgotten', async () => {
      await bench.created('a');
      await bench.subject.forget?.('');
      await refusal(bench.watchFrom(widgets, { resourceVersion: '1' }).ended(), 'Gone');
    });

    it('refuses a field that is not selectable', async () => {
      const watch = await bench.watch({ fieldSelector: 'spec.color=red' });
      await refusal(watch.ended(), 'Invalid');
    });
  });
}
