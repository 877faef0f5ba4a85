import { expect } from 'chai';
import { settle, VirtualClock } from '../clock/virtual.ts';
import { configMaps, type Widget, widgets } from '../kube/conformance/widget.ts';
import { KubeError } from '../kube/errors.ts';
import { MemoryApiServer } from '../kube/memory/server.ts';
import type { KubeStore } from '../kube/store.ts';
import { silentLogger } from '../process/log.ts';
import type { ObjectChange } from './changes.ts';
import { Reflector } from './reflector.ts';

/** One API server, one reflector of its widgets, and all that it tells. */
class Scene {
  readonly clock = new VirtualClock();
  readonly server = new MemoryApiServer({ clock: this.clock, random: seeded() })
    .serve({ type: configMaps })
    .serve({ type: widgets, statusSubresource: true });
  readonly writer = this.server.asUser('writer');
  readonly told: string[] = [];
  readonly noted: string[] = [];
  readonly logged: string[] = [];
  readonly reflector: Reflector<Widget, 'place'>;
  readonly #stop = new AbortController();
  #run: Promise<void> | undefined;

  constructor(changed: (store: KubeStore) => Partial<KubeStore> = () => ({})) {
    const store = this.server.asUser('reflector');
    const warn = (message: string): void => void this.logged.push(message);
    const logger = { ...silentLogger, warn, error: warn, child: () => logger };
    this.reflector = new Reflector({
      store: withMethods(store, changed(store)),
      type: widgets,
      indexes: { place: ({ status }) => (status?.place === undefined ? [] : [status.place]) },
      keepsAnnotation: (name) => !name.startsWith('large.dev/'),
      clock: this.clock,
      random: seeded(),
      logger,
      observer: {
        listed: (cause, objects) => this.noted.push(`listed ${objects} (${cause})`),
        failed: (reason) => this.noted.push(`failed ${reason}`),
        recovered: () => this.noted.push('recovered'),
        watchDied: () => this.noted.push('died'),
      },
    });
    this.reflector.onChange((change) => void this.told.push(wordsOf(change)));
  }

  /** Until the first list is told, or all tries of the first instant have failed. */
  async start(): Promise<this> {
    this.#run = this.reflector.run(this.#stop.signal);
    await settle();
    return this;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#run;
  }

  async create(name: string, spec: Widget['spec'] = { color: 'red' }): Promise<Widget> {
    const { apiVersion, kind } = widgets;
    return this.writer.create(widgets, { apiVersion, kind, metadata: { name, namespace: 'ns' }, spec });
  }

  async paint(name: string, color: string): Promise<void> {
    await this.writer.mergePatch(widgets, { namespace: 'ns', name }, { spec: { color } });
  }

  async remove(name: string): Promise<void> {
    await this.writer.delete(widgets, { namespace: 'ns', name });
  }

  /** What has been told, and forgets it. */
  async news(): Promise<string[]> {
    await settle();
    return this.told.splice(0);
  }

  get cached(): string[] {
    return this.reflector.cache.list().map(({ metadata, spec }) => `${metadata.name} ${spec.color}`);
  }

  /** Breaks the connection to the server for good, until `online`. */
  offline(): void {
    const refuse = new KubeError('Unreachable', 'connection refused');
    this.server.faults.add({ match: ({ user }) => user === 'reflector', times: Number.POSITIVE_INFINITY, refuse });
    this.server.watches.cut({}, new KubeError('Unreachable', 'connection reset'));
  }

  online(): void {
    this.server.faults.clear();
  }

  refuse(verb: 'list' | 'watch', error: KubeError, times = 1): void {
    this.server.faults.add({ match: (call) => call.verb === verb, times, refuse: error });
  }
}

function withMethods(store: KubeStore, changed: Partial<KubeStore>): KubeStore {
  const list: KubeStore['list'] = (type, options) => store.list(type, options);
  const watch: KubeStore['watch'] = (type, options) => store.watch(type, options);
  return { ...store, list, watch, ...changed };
}

function wordsOf(change: ObjectChange<Widget>): string {
  const { name } = change.object.metadata;
  const before = change.type === 'updated' ? `${change.previous.spec.color} to ` : '';
  return `${change.type} ${name} ${before}${change.object.spec.color}`;
}

/** Mulberry32: the same numbers in every run. */
function seeded(seed = 1): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe('a reflector', () => {
  let scene: Scene;
  beforeEach(() => {
    scene = new Scene();
  });
  afterEach(() => scene.stop());

  describe('on a good day', () => {
    it('tells what is there, and then every change with what was before', async () => {
      await scene.create('a');
      await scene.start();
      expect(await scene.news()).to.deep.equal(['added a red']);
      await scene.paint('a', 'blue');
      await scene.create('b');
      await scene.remove('a');
      expect(await scene.news()).to.deep.equal(['updated a red to blue', 'added b red', 'deleted a blue']);
      expect(scene.cached).to.deep.equal(['b red']);
    });

    it('is synced once the whole first list has been told', async () => {
      await scene.create('a');
      expect(scene.reflector.hasSynced()).to.equal(false);
      const synced = scene.reflector.synced().then(() => [...scene.told]);
      await scene.start();
      expect(await synced).to.deep.equal(['added a red']);
      expect(scene.reflector.hasSynced()).to.equal(true);
    });

    it('stops waiting for it when told to', async () => {
      const enough = new AbortController();
      const synced = scene.reflector.synced(enough.signal).then(String, String);
      enough.abort(new Error('enough'));
      expect(await synced).to.equal('Error: enough');
      expect(await scene.reflector.synced(enough.signal).then(String, String)).to.equal('Error: enough');
    });

    it('tells a handler that comes late what is there', async () => {
      await scene.create('a');
      await scene.start();
      const late: string[] = [];
      scene.reflector.onChange((change) => void late.push(wordsOf(change)));
      expect(late).to.deep.equal(['added a red']);
    });

    it('has its cache at the state that it tells of', async () => {
      const sizes: number[] = [];
      scene.reflector.onChange(() => void sizes.push(scene.reflector.cache.size));
      await scene.create('a');
      await scene.create('b');
      await scene.start();
      await scene.remove('a');
      await settle();
      expect(sizes).to.deep.equal([1, 2, 1]);
    });

    it('finds objects by index as they move', async () => {
      await scene.create('a');
      await scene.start();
      const move = (place: string) =>
        scene.writer.mergePatch(
          widgets,
          { namespace: 'ns', name: 'a' },
          { status: { place } },
          { subresource: 'status' },
        );
      await move('here');
      await move('there');
      await settle();
      expect(scene.reflector.cache.byIndex('place', 'here')).to.deep.equal([]);
      expect(scene.reflector.cache.byIndex('place', 'there')).to.have.length(1);
    });

    it('reads a large kind page by page', async () => {
      const pages: unknown[] = [];
      const large = new Scene((store) => ({
        list: (type, options) => {
          pages.push(options?.limit);
          return store.list(type, options);
        },
      }));
      for (let count = 0; count < 1001; count += 1) {
        await large.create(`w${count}`);
      }
      await large.start();
      expect(large.reflector.cache.size).to.equal(1001);
      expect(pages).to.deep.equal([200, 200, 200, 200, 200, 200]);
      await large.stop();
    });

    it('keeps one watch open for hours, and lists again only once in an hour or less', async () => {
      await scene.create('a');
      await scene.start();
      await scene.clock.advance(2_600_000);
      expect(scene.noted).to.deep.equal(['listed 1 (start)']);
      await scene.clock.advance(1_100_000);
      expect(scene.noted).to.deep.equal(['listed 1 (start)', 'listed 1 (periodic)']);
      expect(scene.server.watches.count()).to.equal(1);
      expect(scene.logged).to.deep.equal([]);
    });

    it('drops managed fields', async () => {
      const { apiVersion, kind } = widgets;
      const metadata = { name: 'a', namespace: 'ns', managedFields: [{ manager: 'someone' }] };
      await scene.writer.create(widgets, { apiVersion, kind, metadata, spec: {} });
      await scene.start();
      expect(scene.reflector.cache.get('ns/a')?.metadata).not.to.have.property('managedFields');
      expect(scene.reflector.cache.get('ns/a')?.metadata).to.have.property('uid');
    });

    it('keeps the annotations that it is to keep, and of those of others nothing', async () => {
      const { apiVersion, kind } = widgets;
      const create = async (name: string, annotations: Record<string, string>) => {
        await scene.writer.create(widgets, {
          apiVersion,
          kind,
          metadata: { name, namespace: 'ns', annotations },
          spec: {},
        });
      };
      await create('listed', { 'kept.dev/a': '1', 'large.dev/b': '2' });
      await scene.start();
      await create('watched', { 'large.dev/b': '2' });
      await scene.news();
      const annotations = (name: string) => scene.reflector.cache.get(`ns/${name}`)?.metadata.annotations;
      expect(annotations('listed')).to.deep.equal({ 'kept.dev/a': '1' });
      expect(annotations('watched')).to.equal(undefined);
    });

    it('ends when told to, and leaves nothing open', async () => {
      await scene.start();
      await scene.stop();
      expect(scene.server.watches.count()).to.equal(0);
      await scene.clock.advance(60_000);
      expect(scene.clock.sleeping).to.equal(0);
    });
  });

  describe('when handlers fail', () => {
    it('logs it and tells the others', async () => {
      const told: string[] = [];
      const failing = new Scene();
      failing.reflector.onChange(() => {
        throw new Error('a fault of mine');
      });
      failing.reflector.onChange(() => Promise.reject(new Error('a later fault of mine')));
      failing.reflector.onChange((change) => void told.push(wordsOf(change)));
      await failing.create('a');
      await failing.start();
      await failing.create('b');
      await settle();
      expect(told).to.deep.equal(['added a red', 'added b red']);
      expect(failing.logged).to.deep.equal(Array.from({ length: 4 }, () => 'a handler of changes failed'));
      await failing.stop();
    });
  });

  describe('when the connection breaks', () => {
    it('goes on where it was, without a list', async () => {
      await scene.create('a');
      await scene.start();
      scene.offline();
      await settle();
      await scene.paint('a', 'blue');
      await scene.remove('a');
      scene.online();
      await scene.clock.advance(1000);
      expect(await scene.news()).to.deep.equal(['added a red', 'updated a red to blue', 'deleted a blue']);
      expect(scene.noted).to.deep.equal(['listed 1 (start)', 'failed Unreachable', 'recovered']);
    });

    it('is back within five seconds of the server, however long that was away, and does not hurry meanwhile', async () => {
      await scene.start();
      scene.offline();
      await scene.clock.advance(600_000);
      const tries = scene.noted.filter((note) => note === 'failed Unreachable').length;
      expect(tries).to.be.within(600 / 5, 600 / 2);
      scene.online();
      await scene.create('a');
      await scene.clock.advance(5000);
      expect(await scene.news()).to.deep.equal(['added a red']);
    });

    it('spares a server that answers with errors: at most two tries a minute in the end', async () => {
      scene.refuse('list', new KubeError('Internal', 'etcd is slow'), Number.POSITIVE_INFINITY);
      await scene.start();
      await scene.clock.advance(120_000);
      const before = scene.noted.length;
      await scene.clock.advance(600_000);
      expect(scene.noted.length - before).to.be.within(20, 40);
    });

    it('waits for as long as the server asks', async () => {
      scene.refuse('list', new KubeError('TooManyRequests', 'busy', { retryAfterSeconds: 20 }));
      await scene.create('a');
      await scene.start();
      await scene.clock.advance(19_900);
      expect(await scene.news()).to.deep.equal([]);
      await scene.clock.advance(200);
      expect(await scene.news()).to.deep.equal(['added a red']);
    });

    it('does not take a server at its word that ends every watch at once', async () => {
      await scene.start();
      for (let count = 0; count < 100; count += 1) {
        scene.server.watches.cut();
        await scene.clock.advance(100);
      }
      expect(scene.noted.filter((note) => note === 'failed Internal').length).to.be.within(2, 6);
    });
  });

  describe('when a watch falls silent', () => {
    it('cuts it within 35 seconds and goes on', async () => {
      await scene.start();
      await scene.clock.advance(100_000);
      scene.server.watches.stall();
      await scene.create('a');
      await scene.clock.advance(1000);
      expect(await scene.news()).to.deep.equal([]);
      await scene.clock.advance(29_000);
      scene.server.watches.resume();
      await scene.clock.advance(5500);
      expect(await scene.news()).to.deep.equal(['added a red']);
    });

    it('tells of a dead watch, and never of a quiet one', async () => {
      await scene.start();
      await scene.clock.advance(1_000_000);
      expect(scene.noted).to.deep.equal(['listed 0 (start)']);
      scene.server.watches.stall();
      await scene.clock.advance(35_000);
      expect(scene.noted.slice(1, 3)).to.deep.equal(['died', 'failed Timeout']);
    });
  });

  describe('when the server has forgotten where it was', () => {
    it('lists again at once, and tells only what has changed', async () => {
      await scene.create('same');
      await scene.create('changed');
      await scene.create('gone');
      await scene.start();
      await scene.news();
      scene.offline();
      await settle();
      await scene.paint('changed', 'blue');
      await scene.remove('gone');
      await scene.create('new');
      scene.server.compact();
      scene.online();
      await scene.clock.advance(1000);
      expect(await scene.news()).to.deep.equal(['deleted gone red', 'updated changed red to blue', 'added new red']);
      expect(scene.noted.slice(1)).to.deep.equal(['failed Unreachable', 'recovered', 'failed Gone', 'listed 3 (gone)']);
    });

    it('does so, too, when told of it in the stream', async () => {
      await scene.create('a');
      await scene.start();
      scene.server.watches.cut({}, new KubeError('Gone', 'too old resource version'));
      await scene.clock.advance(0);
      expect(scene.noted).to.deep.equal(['listed 1 (start)', 'failed Gone', 'listed 1 (gone)']);
      expect(await scene.news()).to.deep.equal(['added a red']);
    });

    it('does not list in a storm when it forgets at once again', async () => {
      scene.refuse('watch', new KubeError('Gone', 'too old resource version'), Number.POSITIVE_INFINITY);
      await scene.start();
      await scene.clock.advance(10_000);
      expect(scene.noted.filter((note) => note.startsWith('listed')).length).to.be.within(4, 8);
    });

    it('sees a deletion and another object of the same name as both', async () => {
      const old = await scene.create('a', { color: 'old' });
      await scene.start();
      await scene.news();
      const uids: unknown[] = [];
      scene.reflector.onChange(({ type, object }) => void uids.push([type, object.metadata.uid]));
      scene.offline();
      await settle();
      await scene.remove('a');
      const young = await scene.create('a', { color: 'young' });
      scene.server.compact();
      scene.online();
      await scene.clock.advance(1000);
      expect(await scene.news()).to.deep.equal(['deleted a old', 'added a young']);
      expect(uids).to.deep.equal([
        ['added', old.metadata.uid],
        ['deleted', old.metadata.uid],
        ['added', young.metadata.uid],
      ]);
      expect(scene.reflector.cache.getByUid(old.metadata.uid ?? '')).to.equal(undefined);
    });
  });

  describe('when a list cannot be read to its end', () => {
    /** The second page of the next list fails. */
    function breakSecondPage(error: KubeError): void {
      let pages = 0;
      scene.server.faults.add({ match: ({ verb }) => verb === 'list' && ++pages === 2, refuse: error });
    }

    async function forgottenWith(objects: number): Promise<void> {
      for (let count = 0; count < objects; count += 1) {
        await scene.create(`w${count}`);
      }
      await scene.start();
      await scene.news();
      breakSecondPage(new KubeError('Unreachable', 'connection reset'));
      scene.server.watches.cut({}, new KubeError('Gone', 'too old resource version'));
    }

    it('takes nothing for deleted', async () => {
      await forgottenWith(600);
      await settle();
      expect(await scene.news()).to.deep.equal([]);
      expect(scene.reflector.cache.size).to.equal(600);
    });

    it('reads it anew, with what was deleted meanwhile', async () => {
      await forgottenWith(600);
      await settle();
      await scene.remove('w7');
      await scene.clock.advance(2000);
      expect(await scene.news()).to.deep.equal(['deleted w7 red']);
    });

    it('begins anew when the continue token has expired', async () => {
      for (let count = 0; count < 600; count += 1) {
        await scene.create(`w${count}`);
      }
      breakSecondPage(new KubeError('Gone', 'the continue token is too old'));
      await scene.start();
      await scene.clock.advance(0);
      expect(scene.noted).to.deep.equal(['failed Gone', 'listed 600 (start)']);
    });
  });

  describe('when the server is out of order', () => {
    it('goes back in time with a restored backup', async () => {
      await scene.create('kept');
      const backup = scene.server.backup();
      await scene.create('lost');
      await scene.paint('kept', 'blue');
      await scene.start();
      await scene.news();
      scene.server.restore(backup);
      await scene.clock.advance(2000);
      expect(await scene.news()).to.deep.equal(['deleted lost red', 'updated kept blue to red']);
      await scene.create('later');
      expect(await scene.news()).to.deep.equal(['added later red']);
      expect(scene.logged).to.contain('the API server went back in time');
    });

    it('takes no harm from events that come twice', async () => {
      const stuttering = new Scene((store) => ({
        watch: async function* (type, options) {
          for await (const event of store.watch(type, options)) {
            yield event;
            yield event;
          }
        },
      }));
      await stuttering.start();
      await stuttering.create('a');
      await stuttering.paint('a', 'blue');
      await stuttering.remove('a');
      expect(await stuttering.news()).to.deep.equal(['added a red', 'updated a red to blue', 'deleted a blue']);
      await stuttering.stop();
    });

    it('lists again when events come in the wrong order', async () => {
      let calm = false;
      const confused = new Scene((store) => ({
        watch: async function* (type, options) {
          const events = store.watch(type, options)[Symbol.asyncIterator]();
          const [first, second] = calm ? [] : [await events.next(), await events.next()];
          calm = true;
          yield* [second, first].flatMap((result) => (result === undefined || result.done ? [] : [result.value]));
          yield* { [Symbol.asyncIterator]: () => events };
        },
      }));
      await confused.start();
      await confused.create('a');
      await confused.create('b');
      await confused.clock.advance(0);
      expect(await confused.news()).to.deep.equal(['added b red', 'added a red']);
      expect(confused.noted).to.deep.equal(['listed 0 (start)', 'failed Gone', 'listed 2 (disorder)']);
      await confused.stop();
    });

    it('finds within the hour what a server lost without a word', async () => {
      const robbed = new Scene((store) => ({
        watch: async function* (type, options) {
          for await (const event of store.watch(type, options)) {
            if (event.type !== 'ADDED') {
              yield event;
            }
          }
        },
      }));
      await robbed.start();
      await robbed.create('a');
      await robbed.clock.advance(60_000);
      expect(await robbed.news()).to.deep.equal([]);
      await robbed.clock.advance(3_600_000);
      expect(await robbed.news()).to.deep.equal(['added a red']);
      await robbed.stop();
    });
  });
});
