// What the tests of the suite work with.
import { expect } from 'chai';
import { KubeError, type KubeErrorReason } from '../errors.ts';
import type { KubeObject, ObjectKey, ResourceType } from '../resource.ts';
import type { KubeStore, NewObject, WatchEvent, WatchOptions } from '../store.ts';
import type { OpenedStore, StoreUnderTest } from './subject.ts';
import { type Widget, widgets } from './widget.ts';

export class Workbench {
  readonly subject: StoreUnderTest;
  readonly #watches: AbortController[] = [];
  #opened: OpenedStore | undefined;

  constructor(subject: StoreUnderTest) {
    this.subject = subject;
  }

  async open(): Promise<void> {
    this.#opened = await this.subject.open();
  }

  async close(): Promise<void> {
    this.#watches.splice(0).forEach((watch) => watch.abort());
    await this.subject.close?.();
  }

  get opened(): OpenedStore {
    if (this.#opened === undefined) {
      throw new Error('the store is there only in tests');
    }
    return this.#opened;
  }

  get store(): KubeStore {
    return this.opened.store;
  }

  get namespace(): string {
    return this.opened.namespace;
  }

  key(name: string): ObjectKey {
    return { namespace: this.namespace, name };
  }

  newWidget(
    name: string,
    overrides: Partial<Pick<Widget, 'spec' | 'status'>> & WidgetMetadata = {},
  ): NewObject<Widget> {
    const { spec = { color: 'red' }, status, ...metadata } = overrides;
    const { apiVersion, kind } = widgets;
    return {
      apiVersion,
      kind,
      metadata: { name, namespace: this.namespace, ...metadata },
      spec,
      ...(status && { status }),
    };
  }

  created(name: string, overrides: Partial<Pick<Widget, 'spec' | 'status'>> & WidgetMetadata = {}): Promise<Widget> {
    return this.store.create(widgets, this.newWidget(name, overrides));
  }

  status(name: string, status: object): Promise<Widget> {
    return this.store.mergePatch(widgets, this.key(name), { status }, { subresource: 'status' });
  }

  /** Everything that happens after this call. */
  async watch(selection: Partial<WatchOptions> = {}): Promise<EventLog<Widget>> {
    const { resourceVersion } = await this.store.list(widgets, { namespace: this.namespace });
    return this.watchFrom(widgets, { resourceVersion, ...selection });
  }

  watchFrom<T extends KubeObject>(
    type: ResourceType<T>,
    options: Partial<WatchOptions> & { resourceVersion: string },
  ): EventLog<T> {
    const stop = new AbortController();
    this.#watches.push(stop);
    const { namespace } = this;
    return new EventLog(
      this.store.watch(type, { namespace, timeoutSeconds: 60, signal: stop.signal, ...options }),
      stop,
    );
  }
}

type WidgetMetadata = Pick<Widget['metadata'], 'labels' | 'annotations' | 'finalizers' | 'uid'>;

/** The events of one watch, as they come. */
export class EventLog<T extends KubeObject> {
  readonly events: WatchEvent<T>[] = [];
  readonly #end: Promise<void>;
  readonly #stop: AbortController;
  #arrival = Promise.withResolvers<void>();

  constructor(source: AsyncIterable<WatchEvent<T>>, stop: AbortController) {
    this.#stop = stop;
    this.#end = this.#read(source);
    this.#end.catch(() => undefined);
  }

  /** Resolves when the watch ends, and rejects with its error. */
  ended(): Promise<void> {
    return this.#end;
  }

  async stopped(): Promise<void> {
    this.#stop.abort();
    await this.#end;
  }

  /** "TYPE name", bookmarks left out. */
  get told(): string[] {
    return this.objects.map(({ type, object }) => `${type} ${object.metadata.name}`);
  }

  get objects(): Exclude<WatchEvent<T>, { type: 'BOOKMARK' }>[] {
    return this.events.filter((event) => event.type !== 'BOOKMARK');
  }

  get bookmarks(): string[] {
    return this.events.flatMap((event) => (event.type === 'BOOKMARK' ? [event.resourceVersion] : []));
  }

  /** Waits until exactly these events have come. Fails by the test's time limit when they do not. */
  async expectTold(...expected: string[]): Promise<void> {
    await this.#until(() => this.told.length >= expected.length);
    expect(this.told).to.deep.equal(expected);
  }

  async untilTold(last: (type: string, object: T) => boolean): Promise<void> {
    await this.#until(() => this.objects.some(({ type, object }) => last(type, object)));
  }

  async #until(enough: () => boolean): Promise<void> {
    while (!enough()) {
      await Promise.race([this.#arrival.promise, this.#failed()]);
    }
  }

  async #failed(): Promise<never> {
    await this.#end;
    throw new Error(`the watch ended after ${JSON.stringify(this.told)}`);
  }

  async #read(source: AsyncIterable<WatchEvent<T>>): Promise<void> {
    for await (const event of source) {
      this.events.push(event);
      this.#arrival.resolve();
      this.#arrival = Promise.withResolvers();
    }
  }
}

/** The error with which the call is refused; fails when it is not. */
export async function refusal(call: Promise<unknown>, reason: KubeErrorReason): Promise<KubeError> {
  const outcome = await call.then(
    () => 'it was not refused',
    (error: unknown) => error,
  );
  if (!(outcome instanceof KubeError)) {
    throw new Error(`expected ${reason}, but: ${String(outcome)}`, { cause: outcome });
  }
  expect(outcome.reason, outcome.message).to.equal(reason);
  return outcome;
}
