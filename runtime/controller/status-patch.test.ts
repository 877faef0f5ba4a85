import { expect } from 'chai';
import * as fc from 'fast-check';
import type { KubeStore } from '../kube/store.ts';
import { statusPatch, writeStatus } from './status-patch.ts';

interface Gadget {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace: string; resourceVersion: string };
  status?: Record<string, unknown>;
}

const GADGETS = { apiVersion: 'example.dev/v1', kind: 'Gadget', plural: 'gadgets', namespaced: true } as const;

function gadget(status?: Record<string, unknown>): Gadget {
  const metadata = { name: 'one', namespace: 'default', resourceVersion: '7' };
  return { apiVersion: GADGETS.apiVersion, kind: GADGETS.kind, metadata, ...(status && { status }) };
}

/** RFC 7386, section 2, as it is written there. */
function mergePatch(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) {
    return patch;
  }
  const isObject = typeof target === 'object' && target !== null && !Array.isArray(target);
  const result = new Map<string, unknown>(isObject ? Object.entries(target) : []);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) {
      result.delete(name);
    } else {
      result.set(name, mergePatch(result.get(name), value));
    }
  }
  return Object.fromEntries(result);
}

/** JSON as Kubernetes stores it: no null in the place of a field. Few names, so that two values have many in common. */
const { status: statuses } = fc.letrec((tie) => ({
  status: fc.dictionary(fc.constantFrom('a', 'b', 'c', '__proto__'), tie('value'), {
    maxKeys: 4,
    noNullPrototype: true,
  }),
  list: fc.array(tie('value'), { maxLength: 3 }),
  scalar: fc.oneof(fc.integer({ min: 0, max: 2 }), fc.boolean(), fc.constantFrom('', 'x')),
  value: fc.oneof({ maxDepth: 3, withCrossShrink: true }, tie('scalar'), tie('list'), tie('status')),
}));

/** The status part of the patch as it goes over the wire; {} when nothing is sent. */
function sent(from: Record<string, unknown>, to: Record<string, unknown>): unknown {
  return JSON.parse(JSON.stringify(statusPatch(gadget(from), to)?.status ?? {}));
}

describe('statusPatch', () => {
  it('carries the resourceVersion and only the fields that differ', () => {
    const observed = gadget({ phase: 'Pending', usage: { cpu: 1, memory: 2 }, gone: true });
    expect(statusPatch(observed, { phase: 'Running', usage: { cpu: 1, memory: 3 } })).to.deep.equal({
      metadata: { resourceVersion: '7' },
      status: { phase: 'Running', usage: { memory: 3 }, gone: null },
    });
  });

  it('is undefined when nothing changes, so that nothing is written', () => {
    const status = { phase: 'Running', list: [{ a: 1 }], nested: { b: [1, 2] } };
    expect(statusPatch(gadget(status), structuredClone(status))).to.equal(undefined);
    expect(statusPatch(gadget(), {})).to.equal(undefined);
  });

  it('takes undefined and null fields for absent ones', () => {
    const next = { phase: 'Running', list: [{ a: 1, b: undefined }], nested: { c: null } };
    expect(statusPatch(gadget({ phase: 'Running', list: [{ a: 1 }], nested: {} }), next)).to.equal(undefined);
    expect(statusPatch(gadget({ phase: 'Running' }), { phase: undefined })?.status).to.deep.equal({ phase: null });
  });

  it('replaces lists whole', () => {
    expect(statusPatch(gadget({ list: [1, 2, 3] }), { list: [1, 3] })?.status).to.deep.equal({ list: [1, 3] });
  });

  it('refuses an object that did not come from a store', () => {
    const { resourceVersion: _, ...metadata } = gadget().metadata;
    expect(() => statusPatch({ ...gadget(), metadata }, {})).to.throw(/metadata.resourceVersion/);
  });

  it('gives the next status exactly when it is applied to the observed one', () => {
    fc.assert(
      fc.property(statuses, statuses, (from, to) => {
        expect(mergePatch(from, sent(from, to))).to.deep.equal(to);
      }),
      { numRuns: 500 },
    );
  });

  it('says nothing of what stays the same: the next pass after a write has nothing to write', () => {
    fc.assert(
      fc.property(statuses, (status) => {
        expect(statusPatch(gadget(status), structuredClone(status))).to.equal(undefined);
      }),
    );
  });
});

describe('writeStatus', () => {
  function recordingStore(): { store: KubeStore; calls: unknown[][] } {
    const calls: unknown[][] = [];
    const mergePatch = async (...call: unknown[]) => {
      calls.push(call);
      return gadget({ phase: 'Running' });
    };
    return { store: { mergePatch } as unknown as KubeStore, calls };
  }

  it('sends the difference to the status subresource', async () => {
    const { store, calls } = recordingStore();
    const { signal } = new AbortController();
    const next = { phase: 'Running' };
    const written = await writeStatus(store, GADGETS, { observed: gadget({ phase: 'Pending' }), next, signal });
    expect(written.status).to.deep.equal(next);
    const patch = { metadata: { resourceVersion: '7' }, status: next };
    const key = { namespace: 'default', name: 'one' };
    expect(calls).to.deep.equal([[GADGETS, key, patch, { subresource: 'status', signal }]]);
  });

  it('sends nothing when nothing changes', async () => {
    const { store, calls } = recordingStore();
    const observed = gadget({ phase: 'Running' });
    expect(await writeStatus(store, GADGETS, { observed, next: { phase: 'Running' } })).to.equal(observed);
    expect(calls).to.deep.equal([]);
  });
});
