import { expect } from 'chai';
import fc from 'fast-check';
import { refusal } from '../conformance/workbench.ts';
import type { KubeObject } from '../resource.ts';
import type { WatchEvent } from '../store.ts';
import { watchEvents } from './watch-stream.ts';

function object(name: string): KubeObject {
  return { apiVersion: 'v1', kind: 'Thing', metadata: { name, resourceVersion: '7' } };
}

function line(type: string, body: object): string {
  return `${JSON.stringify({ type, object: body })}\n`;
}

async function read(chunks: readonly (string | Uint8Array)[], longestLine?: number): Promise<WatchEvent<KubeObject>[]> {
  async function* bytes(): AsyncGenerator<Uint8Array> {
    for (const chunk of chunks) {
      yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    }
  }
  const events: WatchEvent<KubeObject>[] = [];
  for await (const event of watchEvents(bytes(), longestLine)) {
    events.push(event);
  }
  return events;
}

describe('the stream of a watch', () => {
  it('is read in whatever pieces it comes', async () => {
    const names = ['ä', '日本', '𝒳', 'plain'];
    const text = Buffer.from(names.map((name) => line('ADDED', object(name))).join(''));
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.nat(text.length), { maxLength: 12 }), async (cuts) => {
        const edges = [0, ...cuts.sort((a, b) => a - b), text.length];
        const pieces = edges.slice(1).map((end, index) => text.subarray(edges[index], end));
        const events = await read(pieces);
        expect(events).to.deep.equal(names.map((name) => ({ type: 'ADDED', object: object(name) })));
      }),
    );
  });

  it('knows all types of events', async () => {
    const bookmark = line('BOOKMARK', { metadata: { resourceVersion: '9' } });
    const events = await read([line('MODIFIED', object('a')), '\n', bookmark, line('DELETED', object('a'))]);
    expect(events).to.deep.equal([
      { type: 'MODIFIED', object: object('a') },
      { type: 'BOOKMARK', resourceVersion: '9' },
      { type: 'DELETED', object: object('a') },
    ]);
  });

  it('fails as the server says in it', async () => {
    const gone = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version: 1 (216)' };
    const { message } = await refusal(read([line('ERROR', gone)]), 'Gone');
    expect(message).to.equal(gone.message);
    await refusal(read([line('ERROR', { kind: 'Status', code: 500 })]), 'Internal');
  });

  it('swallows nothing that it cannot read', async () => {
    await refusal(read(['{"type":"ADDED",\n']), 'Internal');
    await refusal(read(['null\n']), 'Internal');
    await refusal(read(['{"type":"ADDED"}\n']), 'Internal');
    await refusal(read([line('ADDED', { metadata: {} })]), 'Internal');
    await refusal(read([line('INVENTED', object('a'))]), 'Internal');
  });

  it('tells a stream that broke off from one that ended', async () => {
    await refusal(read([line('ADDED', object('a')), '{"type":']), 'Internal');
    expect(await read([])).to.deep.equal([]);
  });

  it('does not gather a line without end', async () => {
    const pieces = Array.from({ length: 50 }, () => 'x'.repeat(100));
    const { message } = await refusal(read(pieces, 1000), 'Internal');
    expect(message).to.contain('longer than 1000 bytes');
  });
});
