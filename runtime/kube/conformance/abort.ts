import { expect } from 'chai';
import { widgets } from './widget.ts';
import { refusal, type Workbench } from './workbench.ts';

export function describeAbort(bench: Workbench): void {
  describe('a signal that has aborted', () => {
    const signal = AbortSignal.abort(new Error('enough'));

    it('refuses every call as Unreachable, with its reason as the cause', async () => {
      const { store } = bench;
      const key = bench.key('a');
      const calls = [
        store.get(widgets, key, signal),
        store.list(widgets, { signal }),
        store.create(widgets, bench.newWidget('a'), signal),
        store.mergePatch(widgets, key, {}, { signal }),
        store.jsonPatch(widgets, key, [], { signal }),
        store.apply(widgets, bench.newWidget('a'), { fieldManager: 'one', signal }),
        store.delete(widgets, key, { signal }),
      ];
      for (const call of calls) {
        const { cause } = await refusal(call, 'Unreachable');
        expect(cause).to.equal(signal.reason);
      }
      await refusal(store.get(widgets, key), 'NotFound');
    });

    it('ends a watch before it begins', async () => {
      await bench.watchFrom(widgets, { resourceVersion: '1', signal }).ended();
    });
  });
}
