import { expect } from 'chai';
import { settle, VirtualClock } from '#runtime/clock/virtual.ts';
import { configMaps, type Widget, widgets } from '../conformance/widget.ts';
import { refusal } from '../conformance/workbench.ts';
import { KubeError } from '../errors.ts';
import type { WatchEvent } from '../store.ts';
import { MemoryApiServer } from './server.ts';

const key = { namespace: 'ns', name: 'a' };
const widget = { apiVersion: widgets.apiVersion, kind: 'Widget', metadata: key, spec: { color: 'red' } };

describe('the API server in memory', () => {
  let clock: VirtualClock;
  let server: MemoryApiServer;
  beforeEach(() => {
    clock = new VirtualClock();
    server = new MemoryApiServer({ clock, random: () => 0.5 });
  });

  it('serves only what it was told of', async () => {
    await refusal(server.asUser('me').get(widgets, key), 'NotFound');
    await server.serve({ type: widgets }).asUser('me').create(widgets, widget);
    await server.asUser('me').get(widgets, key);
  });

  it('hands out objects that cannot be changed', async () => {
    const created = await server.serve({ type: widgets }).asUser('me').create(widgets, widget);
    expect(() => {
      created.spec.color = 'blue';
    }).to.throw(TypeError);
  });

  describe('with hooks', () => {
    it('completes objects and knows who asks', async () => {
      server.serve({
        type: widgets,
        statusSubresource: true,
        defaults: (object) => ({ ...object, status: { phase: 'Pending', ...object.status } }),
        mutate: (object, { user, verb }) =>
          verb === 'create' ? { ...object, metadata: { ...object.metadata, labels: { by: user } } } : object,
      });
      const created = await server.asUser('me').create(widgets, widget);
      expect(created.metadata.labels).to.deep.equal({ by: 'me' });
      expect(created.status).to.deep.equal({ phase: 'Pending' });
      expect(created.spec).to.deep.equal({ color: 'red' });
    });

    it('refuses what they refuse, with old and new at hand', async () => {
      server.serve({
        type: widgets,
        statusSubresource: true,
        validate: (object, { user, verb, subresource, old }) => {
          const story = `${user} ${verb} ${subresource ?? '-'} ${old?.spec.color ?? '-'} ${object.spec.color ?? '-'}`;
          return user === 'me' ? undefined : new KubeError('Forbidden', story);
        },
      });
      const [me, you] = [server.asUser('me'), server.asUser('you')];
      const told = async (call: Promise<unknown>) => (await refusal(call, 'Forbidden')).message;
      expect(await told(you.create(widgets, widget))).to.equal('you create - - red');
      await me.create(widgets, widget);
      expect(await told(you.mergePatch(widgets, key, { spec: { color: 'blue' } }))).to.equal(
        'you mergePatch - red blue',
      );
      const status = you.mergePatch(widgets, key, { status: { phase: 'x' } }, { subresource: 'status' });
      expect(await told(status)).to.equal('you mergePatch status red red');
      expect(await told(you.delete(widgets, key))).to.equal('you delete - red red');
    });
  });

  it('remembers every write that reached it, and what came of it', async () => {
    const store = server.serve({ type: widgets, statusSubresource: true }).asUser('me');
    await store.create(widgets, widget);
    await store.mergePatch(widgets, key, {});
    await refusal(store.mergePatch(widgets, key, { metadata: { resourceVersion: '1' } }), 'Conflict');
    await store.mergePatch(widgets, key, { status: { phase: 'Done' } }, { subresource: 'status' });
    await store.get(widgets, key);
    await store.delete(widgets, key);
    await store.delete(widgets, key);
    const told = server.writes.map(({ verb, subresource, outcome }) => [verb, subresource, outcome]);
    expect(told).to.deep.equal([
      ['create', undefined, 'written'],
      ['mergePatch', undefined, 'unchanged'],
      ['mergePatch', undefined, 'Conflict'],
      ['mergePatch', 'status', 'written'],
      ['delete', undefined, 'written'],
      ['delete', undefined, 'unchanged'],
    ]);
    expect(server.writes[0]).to.deep.include({ kind: 'Widget', key: 'ns/a', user: 'me' });
  });

  describe('with faults', () => {
    const lost = new KubeError('Unreachable', 'connection reset');

    it('refuses calls that match, as many times as it is told', async () => {
      const [me, you] = [server.serve({ type: widgets }).asUser('me'), server.asUser('you')];
      server.faults.add({ match: ({ user, verb }) => user === 'you' && verb === 'create', times: 2, refuse: lost });
      await refusal(you.create(widgets, widget), 'Unreachable');
      await refusal(you.create(widgets, widget), 'Unreachable');
      await me.create(widgets, widget);
      await refusal(you.create(widgets, widget), 'AlreadyExists');
    });

    it('does what was asked and loses the answer', async () => {
      const store = server.serve({ type: widgets }).asUser('me');
      server.faults.add({ loseAnswer: lost });
      await refusal(store.create(widgets, widget), 'Unreachable');
      expect((await store.get(widgets, key)).spec).to.deep.equal({ color: 'red' });
    });

    it('delays requests and answers, until the caller gives up', async () => {
      const store = server.serve({ type: widgets }).asUser('me');
      server.faults.add({ requestDelay: () => 10, answerDelay: () => 20 });
      const created = store.create(widgets, widget).then(() => clock.monotonic());
      await clock.advance(9);
      expect(server.writes).to.deep.equal([]);
      await clock.advance(1);
      expect(server.writes).to.have.length(1);
      await clock.advance(100);
      expect(await created).to.equal(30);
      server.faults.add({ requestDelay: () => 1000 });
      const impatient = new AbortController();
      const read = store.get(widgets, key, impatient.signal);
      impatient.abort();
      await refusal(read, 'Unreachable');
    });

    it('forgets those that have not struck', async () => {
      const store = server.serve({ type: widgets }).asUser('me');
      server.faults.add({ refuse: lost });
      server.faults.clear();
      await store.create(widgets, widget);
    });
  });

  describe('with watches', () => {
    let events: string[];
    const stop = new AbortController();
    after(() => stop.abort());

    async function watchAs(user: string): Promise<void> {
      const { resourceVersion } = await server.asUser(user).list(widgets);
      const watch = server.asUser(user).watch(widgets, { resourceVersion, timeoutSeconds: 30, signal: stop.signal });
      void tell(user, watch);
      await settle();
    }

    async function tell(user: string, watch: AsyncIterable<WatchEvent<Widget>>): Promise<void> {
      try {
        for await (const event of watch) {
          events.push(`${user}: ${event.type}`);
        }
        events.push(`${user}: end`);
      } catch (error) {
        events.push(`${user}: ${String(error)}`);
      }
    }

    beforeEach(async () => {
      events = [];
      server.serve({ type: widgets }).serve({ type: configMaps });
      await watchAs('me');
      await watchAs('you');
    });

    it('tells them in the order in which they began', async () => {
      await server.asUser('me').create(widgets, widget);
      await server.asUser('me').delete(widgets, key);
      await settle();
      expect(events.filter((event) => event.startsWith('me'))).to.deep.equal(['me: ADDED', 'me: DELETED']);
      expect(events.filter((event) => event.startsWith('you'))).to.deep.equal(['you: ADDED', 'you: DELETED']);
      expect(events[0]).to.equal('me: ADDED');
    });

    it('holds back what a stalled watch should see, lets through what it is told to, and the rest in the end', async () => {
      server.watches.stall({ user: 'you' });
      await server.asUser('me').create(widgets, widget);
      await server.asUser('me').delete(widgets, key);
      await settle();
      expect(events).to.deep.equal(['me: ADDED', 'me: DELETED']);
      server.watches.deliver({ user: 'you' }, 1);
      await settle();
      expect(events.slice(2)).to.deep.equal(['you: ADDED']);
      server.watches.resume();
      await settle();
      expect(events.slice(3)).to.deep.equal(['you: DELETED']);
    });

    it('stalls watches, too, that begin later', async () => {
      server.watches.stall({ kind: 'Widget' });
      await watchAs('late');
      await clock.advance(40_000);
      expect(events).to.deep.equal([]);
      expect(server.watches.count({ kind: 'Widget' })).to.equal(3);
    });

    it('cuts them with an error or without', async () => {
      server.watches.cut({ user: 'me' });
      server.watches.cut({ user: 'you' }, new KubeError('Unreachable', 'reset'));
      await settle();
      expect(events).to.deep.equal(['me: end', 'you: KubeError: reset']);
      expect(server.watches.count()).to.equal(0);
    });

    it('sends bookmarks when told to, and one before the end', async () => {
      server.watches.bookmark({ user: 'me' });
      await clock.advance(30_000);
      expect(events).to.deep.equal(['me: BOOKMARK', 'me: BOOKMARK', 'me: end', 'you: BOOKMARK', 'you: end']);
    });
  });

  it('goes back to a backup, and counts on from there', async () => {
    const store = server.serve({ type: widgets }).asUser('me');
    const kept = await store.create(widgets, widget);
    const backup = server.backup();
    await store.mergePatch(widgets, key, { spec: { color: 'blue' } });
    server.restore(backup);
    expect(await store.get(widgets, key)).to.deep.equal(kept);
    const again = await store.mergePatch(widgets, key, { spec: { color: 'green' } });
    expect(Number(again.metadata.resourceVersion)).to.equal(Number(kept.metadata.resourceVersion) + 1);
  });
});
