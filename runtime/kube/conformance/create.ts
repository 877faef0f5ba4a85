import { expect } from 'chai';
import { checkNew } from '../object-check.ts';
import { configMaps, widgets } from './widget.ts';
import { refusal, type Workbench } from './workbench.ts';

export function describeCreate(bench: Workbench): void {
  describe('create and get', () => {
    it('completes what only the server may know', async () => {
      const { metadata, kind, apiVersion } = await bench.created('a', { labels: { l: '1' } });
      expect({ kind, apiVersion }).to.deep.equal({ kind: 'Widget', apiVersion: widgets.apiVersion });
      expect(metadata.uid).to.match(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      expect(metadata.creationTimestamp).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      expect(metadata.resourceVersion).to.match(/^[1-9]\d*$/);
      expect(metadata).to.deep.include({ generation: 1, name: 'a', namespace: bench.namespace, labels: { l: '1' } });
    });

    it('gets what was created', async () => {
      const created = await bench.created('a');
      expect(await bench.store.get(widgets, bench.key('a'))).to.deep.equal(created);
    });

    it('counts no generation for a kind without one', async () => {
      const { apiVersion, kind } = configMaps;
      const object = { apiVersion, kind, metadata: { name: 'a', namespace: bench.namespace }, data: { x: '1' } };
      const created = await bench.store.create(configMaps, object);
      expect(created.data).to.deep.equal({ x: '1' });
      expect(created.metadata).not.to.have.property('generation');
    });

    it('has NotFound for what is not there', async () => {
      await refusal(bench.store.get(widgets, bench.key('a')), 'NotFound');
    });

    it('has AlreadyExists for a name that is taken', async () => {
      await bench.created('a');
      await refusal(bench.created('a'), 'AlreadyExists');
    });

    it('refuses unknown fields', async () => {
      const spec: object = { colour: 'red' };
      await refusal(bench.created('a', { spec }), 'Invalid');
      await refusal(bench.store.get(widgets, bench.key('a')), 'NotFound');
    });

    it('refuses an object that was read somewhere', async () => {
      const { uid: _, creationTimestamp: __, ...metadata } = (await bench.created('a')).metadata;
      const copy = { ...bench.newWidget('b'), metadata: { ...metadata, name: 'b' } };
      expect(() => checkNew(copy)).to.throw('metadata.resourceVersion');
      await refusal(bench.store.create(widgets, copy), 'Invalid');
    });

    it('gives an object a uid of its own, and no status', async () => {
      const uid = '11111111-1111-4111-8111-111111111111';
      const created = await bench.created('a', { uid, status: { phase: 'Done' } });
      expect(created.metadata.uid).not.to.equal(uid);
      expect(created).not.to.have.property('status');
    });

    it('refuses a key without its namespace, and one without a name', async () => {
      await refusal(bench.store.get(widgets, { name: 'a' }), 'Invalid');
      await refusal(bench.store.delete(widgets, bench.key('')), 'Invalid');
    });

    it('gives another object under the same name another uid and a later version', async () => {
      const first = await bench.created('a');
      await bench.store.delete(widgets, bench.key('a'));
      const second = await bench.created('a');
      expect(second.metadata.uid).not.to.equal(first.metadata.uid);
      expect(Number(second.metadata.resourceVersion)).to.be.greaterThan(Number(first.metadata.resourceVersion));
    });
  });
}
