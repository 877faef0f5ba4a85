import { expect } from 'chai';
import type { KubeObject } from '../kube/resource.ts';
import { ObjectCache } from './object-cache.ts';

interface Thing extends KubeObject {
  places: string[];
}

function thing(name: string, places: string[], uid = `uid of ${name}`): Thing {
  return { apiVersion: 'v1', kind: 'Thing', metadata: { name, namespace: 'ns', uid }, places };
}

describe('an object cache', () => {
  let cache: ObjectCache<Thing, 'place'>;
  beforeEach(() => {
    cache = new ObjectCache<Thing, 'place'>({
      place: ({ places }) => {
        if (places.includes('nowhere')) {
          throw new Error('nowhere is no place');
        }
        return places;
      },
    });
  });

  it('finds objects by key, by uid and by index', () => {
    const [a, b] = [thing('a', ['here', 'there']), thing('b', ['there'])];
    cache.put(a);
    cache.put(b);
    expect(cache.get('ns/a')).to.equal(a);
    expect(cache.get({ namespace: 'ns', name: 'b' })).to.equal(b);
    expect(cache.getByUid('uid of b')).to.equal(b);
    expect(cache.byIndex('place', 'here')).to.deep.equal([a]);
    expect(cache.byIndex('place', 'there')).to.deep.equal([a, b]);
    expect(cache.list()).to.deep.equal([a, b]);
    expect(cache.size).to.equal(2);
  });

  it('forgets all of an object that is replaced or removed', () => {
    cache.put(thing('a', ['here'], 'old'));
    cache.put(thing('a', ['there'], 'new'));
    expect(cache.byIndex('place', 'here')).to.deep.equal([]);
    expect(cache.getByUid('old')).to.equal(undefined);
    expect(cache.size).to.equal(1);
    cache.remove('ns/a');
    cache.remove('ns/a');
    expect(cache.byIndex('place', 'there')).to.deep.equal([]);
    expect([cache.size, cache.get('ns/a'), cache.getByUid('new')]).to.deep.equal([0, undefined, undefined]);
  });

  it('stays whole when an index function throws', () => {
    const a = thing('a', ['here']);
    cache.put(a);
    expect(() => cache.put(thing('a', ['nowhere']))).to.throw('nowhere is no place');
    expect(cache.get('ns/a')).to.equal(a);
    expect(cache.byIndex('place', 'here')).to.deep.equal([a]);
  });
});
