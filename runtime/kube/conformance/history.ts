// Random histories, played on any store and told in words that do not depend on which one it was.
import fc from 'fast-check';
import { isKubeError } from '../errors.ts';
import type { KubeObject } from '../resource.ts';
import type { JsonPatchOperation } from '../store.ts';
import { type Widget, widgets } from './widget.ts';
import type { EventLog, Workbench } from './workbench.ts';

type Version = 'none' | 'current' | 'outdated';

export type Step = { readonly name: string } & (
  | { readonly verb: 'create'; readonly finalized: boolean; readonly spec: Widget['spec'] }
  | { readonly verb: 'mergePatch'; readonly body: object; readonly version: Version; readonly status: boolean }
  | { readonly verb: 'jsonPatch'; readonly patch: readonly JsonPatchOperation[]; readonly status: boolean }
  | { readonly verb: 'apply'; readonly manager: string; readonly force: boolean; readonly spec: Widget['spec'] }
  | { readonly verb: 'delete'; readonly version: Version }
);

const name = fc.constantFrom('a', 'b');
const version = fc.constantFrom<Version>('none', 'none', 'current', 'outdated');
const color = fc.constantFrom('red', 'blue');
const size = fc.integer({ min: 0, max: 2 });
const options = fc.dictionary(fc.constantFrom('p', 'q'), fc.constantFrom('1', '2'), { minKeys: 1, maxKeys: 2 });
const spec = fc.record({ color, size, options }, { requiredKeys: ['color'] });
const finalizers = fc.constantFrom(null, ['usher.dev/x'], ['usher.dev/x', 'usher.dev/y']);

const mergeBody = fc.record(
  {
    metadata: fc.record(
      { labels: fc.constantFrom({ on: 'yes' }, { on: 'no' }, { on: null }), finalizers },
      { requiredKeys: [] },
    ),
    spec: fc.record({ color, size: fc.option(size), options: fc.option(options) }, { requiredKeys: [] }),
    status: fc.record(
      { place: fc.constantFrom('here', 'there', null), phase: fc.constantFrom('Busy', null) },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: [] },
);

const operation = fc.oneof(
  fc.record({ op: fc.constant('test' as const), path: fc.constant('/spec/color'), value: color }),
  fc.record({ op: fc.constantFrom('add' as const, 'replace' as const), path: fc.constant('/spec/size'), value: size }),
  fc.record({
    op: fc.constant('remove' as const),
    path: fc.constantFrom('/spec/size', '/spec/options/p', '/metadata/labels'),
  }),
  fc.record({ op: fc.constant('add' as const), path: fc.constant('/status'), value: fc.constant({ place: 'here' }) }),
);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ verb: fc.constant('create' as const), name, spec, finalized: fc.boolean() }) },
  {
    weight: 5,
    arbitrary: fc.record({
      verb: fc.constant('mergePatch' as const),
      name,
      body: mergeBody,
      version,
      status: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      verb: fc.constant('jsonPatch' as const),
      name,
      patch: fc.array(operation, { minLength: 1, maxLength: 3 }),
      status: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      verb: fc.constant('apply' as const),
      name,
      spec,
      manager: fc.constantFrom('one', 'two'),
      force: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ verb: fc.constant('delete' as const), name, version }) },
);

export const histories: fc.Arbitrary<Step[]> = fc.array(step, { minLength: 5, maxLength: 25 });

/**
 * Plays the history in the bench's namespace and tells, a line each, what came of every step and what three watches
 * saw of it all. The lines are the same for two stores that keep the same rules.
 */
export async function play(bench: Workbench, steps: readonly Step[]): Promise<string[]> {
  const selections = [{}, { fieldSelector: 'status.place=here' }, { labelSelector: 'on=yes' }];
  const watches = await Promise.all(selections.map((selection) => bench.watch(selection)));
  const told: unknown[] = [];
  const outdated = new Map<string, string>();
  for (const step of steps) {
    told.push({ step, outcome: await outcomeOf(bench, step, outdated) });
  }
  await markEnd(bench, watches);
  watches.forEach(({ objects }, watch) => told.push(...objects.map((event) => ({ watch, ...event }))));
  return anonymous(told).map((line) => JSON.stringify(line));
}

/** Fails with the first line in which two stores differ. */
export function expectSame(told: readonly string[], expected: readonly string[]): void {
  const index = expected.findIndex((line, index) => told[index] !== line);
  if (index >= 0 || told.length !== expected.length) {
    const at = index < 0 ? expected.length : index;
    throw new Error(`told:     ${told[at]}\nexpected: ${expected[at]}`);
  }
}

/** An object that every watch selects: what comes before it is all there is. */
async function markEnd(bench: Workbench, watches: readonly EventLog<Widget>[]): Promise<void> {
  await bench.created('end', { labels: { on: 'yes' } });
  await bench.status('end', { place: 'here' });
  await Promise.all(
    watches.map((watch) =>
      watch.untilTold(
        (type, object) => type !== 'DELETED' && object.status?.place === 'here' && object.metadata.name === 'end',
      ),
    ),
  );
}

async function outcomeOf(bench: Workbench, next: Step, outdated: Map<string, string>): Promise<unknown> {
  const current = await bench.store.get(widgets, bench.key(next.name)).catch(() => undefined);
  const { resourceVersion } = current?.metadata ?? {};
  const versions = { none: undefined, current: resourceVersion, outdated: outdated.get(next.name) };
  if (resourceVersion !== undefined) {
    outdated.set(next.name, resourceVersion);
  }
  try {
    return (await perform(bench, next, versions)) ?? 'done';
  } catch (error) {
    return isKubeError(error) ? error.reason : error;
  }
}

function perform(
  bench: Workbench,
  next: Step,
  versions: Record<Version, string | undefined>,
): Promise<KubeObject | undefined | void> {
  const key = bench.key(next.name);
  switch (next.verb) {
    case 'create': {
      const { spec, finalized } = next;
      return bench.created(next.name, { spec, ...(finalized && { finalizers: ['usher.dev/x'] }) });
    }
    case 'mergePatch': {
      const asked = versions[next.version];
      const body: { metadata?: object } = next.body;
      const metadata = { ...body.metadata, ...(asked !== undefined && { resourceVersion: asked }) };
      const write = next.status ? { subresource: 'status' as const } : {};
      return bench.store.mergePatch(widgets, key, { ...body, metadata }, write);
    }
    case 'jsonPatch':
      return bench.store.jsonPatch(widgets, key, next.patch, next.status ? { subresource: 'status' } : {});
    case 'apply': {
      const object = bench.newWidget(next.name, { spec: next.spec });
      return bench.store.apply(widgets, object, { fieldManager: next.manager, force: next.force });
    }
    case 'delete': {
      const asked = versions[next.version];
      return bench.store.delete(widgets, key, asked === undefined ? {} : { preconditions: { resourceVersion: asked } });
    }
  }
}

/** Uids and versions become their rank among those told of; times, namespaces and managed fields go. */
function anonymous(told: readonly unknown[]): unknown[] {
  const uids: unknown[] = [];
  const versions = new Set<number>();
  JSON.stringify(told, (field, value: unknown) => {
    if (field === 'uid' && !uids.includes(value)) {
      uids.push(value);
    }
    if (field === 'resourceVersion') {
      versions.add(Number(value));
    }
    return value;
  });
  const ranks = [...versions].sort((a, b) => a - b);
  const substitutes: Record<string, (value: unknown) => unknown> = {
    uid: (uid) => uids.indexOf(uid),
    resourceVersion: (version) => ranks.indexOf(Number(version)),
    creationTimestamp: () => 'set',
    deletionTimestamp: () => 'set',
    namespace: () => 'here',
    managedFields: () => undefined,
  };
  return JSON.parse(
    JSON.stringify(sortedFields(told), (field, value: unknown) => {
      const substitute = substitutes[field];
      return substitute === undefined ? value : substitute(value);
    }),
  );
}

/** The order of fields says nothing. */
function sortedFields(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(sortedFields);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(fields.map(([name, inner]) => [name, sortedFields(inner)]));
}
