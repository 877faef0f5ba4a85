import { expect } from 'chai';
import { configMaps, widgets } from './widget.ts';
import { refusal, type Workbench } from './workbench.ts';

export function describeList(bench: Workbench): void {
  const names = async (selection: { labelSelector?: string; fieldSelector?: string }): Promise<string> => {
    const { items } = await bench.store.list(widgets, { namespace: bench.namespace, ...selection });
    return items.map(({ metadata }) => metadata.name).join(' ');
  };

  describe('list', () => {
    it('has the objects of the namespace, in the order of their names', async () => {
      const b = await bench.created('b');
      const a = await bench.created('a');
      const { items, resourceVersion } = await bench.store.list(widgets, { namespace: bench.namespace });
      expect(items).to.deep.equal([a, b]);
      expect(Number(resourceVersion)).to.be.at.least(Number(a.metadata.resourceVersion));
    });

    it('has those of all namespaces where none is named', async () => {
      await bench.created('a');
      const { items } = await bench.store.list(widgets);
      expect(items.map(({ metadata }) => metadata.namespace)).to.include(bench.namespace);
    });

    it('says of every item what it is, built in or not', async () => {
      const { apiVersion, kind } = configMaps;
      await bench.store.create(configMaps, { apiVersion, kind, metadata: { name: 'a', namespace: bench.namespace } });
      const { items } = await bench.store.list(configMaps, { namespace: bench.namespace });
      expect(items.map((item) => item.kind + item.apiVersion)).to.include('ConfigMapv1');
    });

    it('selects by labels', async () => {
      await bench.created('a', { labels: { tier: 'web', zone: '1' } });
      await bench.created('b', { labels: { tier: 'db' } });
      await bench.created('c');
      const expectations = {
        'tier=web': 'a',
        'tier==web': 'a',
        'tier!=web': 'b c',
        tier: 'a b',
        '!tier': 'c',
        'tier in (web, db)': 'a b',
        'tier notin (web)': 'b c',
        'tier in (web,db),zone!=1': 'b',
      };
      for (const [labelSelector, expected] of Object.entries(expectations)) {
        expect(await names({ labelSelector }), labelSelector).to.equal(expected);
      }
    });

    it('selects by name and by the fields of the kind that are selectable', async () => {
      await bench.created('a', { spec: { size: 3 } });
      await bench.created('b');
      await bench.status('b', { place: 'p1' });
      const expectations = {
        'metadata.name=a': 'a',
        'metadata.name!=a': 'b',
        'status.place=p1': 'b',
        'status.place=': 'a',
        'status.place!=p1': 'a',
        'spec.size=3': 'a',
        'spec.size=3,status.place=p1': '',
      };
      for (const [fieldSelector, expected] of Object.entries(expectations)) {
        expect(await names({ fieldSelector }), fieldSelector).to.equal(expected);
      }
    });

    it('refuses selectors that it cannot read, and fields that are not selectable', async () => {
      await refusal(names({ labelSelector: 'a===b' }), 'Invalid');
      await refusal(names({ labelSelector: 'a in b' }), 'Invalid');
      await refusal(names({ fieldSelector: 'spec.color=red' }), 'Invalid');
      await refusal(names({ fieldSelector: 'metadata.name' }), 'Invalid');
    });

    it('gives pages of one moment, whatever happens meanwhile', async () => {
      for (const name of ['a', 'b', 'c', 'd', 'e']) {
        await bench.created(name);
      }
      const options = { namespace: bench.namespace, limit: 2 };
      const first = await bench.store.list(widgets, options);
      await bench.store.delete(widgets, bench.key('c'));
      await bench.store.mergePatch(widgets, bench.key('d'), { spec: { color: 'blue' } });
      await bench.created('bb');
      const second = await bench.store.list(widgets, { ...options, continue: first.continue ?? '' });
      const third = await bench.store.list(widgets, { ...options, continue: second.continue ?? '' });
      const pages = [first, second, third];
      const seen = pages.map(({ items }) => items.map(({ metadata, spec }) => metadata.name + spec.color));
      expect(seen).to.deep.equal([['ared', 'bred'], ['cred', 'dred'], ['ered']]);
      expect(new Set(pages.map(({ resourceVersion }) => resourceVersion)).size).to.equal(1);
      expect(third).not.to.have.property('continue');
    });

    it('counts what is selected for the size of a page', async () => {
      for (const name of ['a', 'b', 'c', 'd']) {
        await bench.created(name, { labels: { even: String(name === 'b' || name === 'd') } });
      }
      const options = { namespace: bench.namespace, labelSelector: 'even=true', limit: 1 };
      const first = await bench.store.list(widgets, options);
      const second = await bench.store.list(widgets, { ...options, continue: first.continue ?? '' });
      expect([first, second].map(({ items }) => items.map(({ metadata }) => metadata.name))).to.deep.equal([
        ['b'],
        ['d'],
      ]);
    });

    it('refuses a continue token that is none', async () => {
      await refusal(bench.store.list(widgets, { limit: 1, continue: 'no token' }), 'Invalid');
    });

    if (bench.subject.forget !== undefined) {
      it('has Gone for a continue token of a forgotten moment', async () => {
        await bench.created('a');
        await bench.created('b');
        const { continue: token = '' } = await bench.store.list(widgets, { namespace: bench.namespace, limit: 1 });
        await bench.created('c');
        const forgotten = (await bench.subject.forget?.(token)) ?? '';
        await refusal(bench.store.list(widgets, { namespace: bench.namespace, limit: 1, continue: forgotten }), 'Gone');
      });
    }
  });
}
