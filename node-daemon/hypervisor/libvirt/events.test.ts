import { expect } from 'chai';
import type { DriverEvent } from '../driver.ts';
import { EventHub, EventTranslator } from './events.ts';

const uuid = '3f2504e0-4f89-41d3-9a0c-0305e82c3301';

describe('an event of libvirt', () => {
  const stories: Record<string, [events: [number, number][], last: Partial<DriverEvent>]> = {
    'a guest that ended by itself': [
      [
        [6, 1],
        [5, 0],
      ],
      { detail: 'Stopped: shutdown', initiator: 'Guest' },
    ],
    'a guest whose process was asked to end': [
      [
        [6, 2],
        [5, 0],
      ],
      { detail: 'Stopped: shutdown', initiator: 'Host' },
    ],
    'a guest whose end began unseen': [[[5, 0]], { detail: 'Stopped: shutdown', initiator: 'Unknown' }],
    'a guest that panicked': [
      [
        [8, 0],
        [5, 2],
      ],
      { detail: 'Stopped: crashed', initiator: 'Guest' },
    ],
    'a guest whose process died': [[[5, 5]], { detail: 'Stopped: failed', initiator: 'Unknown' }],
    'a guest that was destroyed while it shut down': [
      [
        [6, 1],
        [5, 1],
      ],
      { detail: 'Stopped: destroyed', initiator: 'Host' },
    ],
    'a guest that ended, was started and failed': [
      [
        [6, 1],
        [5, 0],
        [2, 0],
        [5, 5],
      ],
      { detail: 'Stopped: failed', initiator: 'Unknown' },
    ],
    'an event of a later libvirt': [[[42, 1]], { detail: 'Event 42', initiator: 'Unknown' }],
    'a detail of a later libvirt': [[[5, 42]], { detail: 'Stopped', initiator: 'Unknown' }],
  };
  for (const [what, [sequence, last]] of Object.entries(stories)) {
    it(`tells of ${what}`, () => {
      const translator = new EventTranslator();
      const told = sequence.map(([event, detail]) => translator.translate({ kind: 'Lifecycle', uuid, event, detail }));
      expect(told.at(-1)).to.deep.equal({ kind: 'Changed', uuid, ...last });
    });
  }
});

describe('watching', () => {
  const changed = (detail: string): DriverEvent => ({ kind: 'Changed', uuid, detail, initiator: 'Unknown' });

  it('gives every watcher every event from the moment it began', async () => {
    const hub = new EventHub();
    const [first, second] = [hub.watch(new AbortController().signal), hub.watch(new AbortController().signal)];
    hub.publish(changed('one'));
    hub.publish(changed('two'));
    expect(await take(first, 2)).to.deep.equal([changed('one'), changed('two')]);
    expect(await take(second, 2)).to.deep.equal([changed('one'), changed('two')]);
  });

  it('ends with its signal, also while it waits, and with the hub', async () => {
    const hub = new EventHub();
    const abort = new AbortController();
    const waiting = take(hub.watch(abort.signal), 1);
    abort.abort();
    expect(await waiting).to.deep.equal([]);
    const other = take(hub.watch(new AbortController().signal), 1);
    hub.close();
    expect(await other).to.deep.equal([]);
    expect(await take(hub.watch(new AbortController().signal), 1)).to.deep.equal([]);
  });

  it('tells a watcher that does not keep up to look at everything, and holds no more than its bound', async () => {
    const hub = new EventHub();
    const slow = hub.watch(new AbortController().signal);
    for (let count = 0; count <= 1024; count += 1) {
      hub.publish(changed(`${count}`));
    }
    expect(await take(slow, 2)).to.deep.equal([{ kind: 'Reconnected' }, changed('1024')]);
  });
});

async function take(events: AsyncIterable<DriverEvent>, count: number): Promise<DriverEvent[]> {
  const taken: DriverEvent[] = [];
  for await (const event of events) {
    taken.push(event);
    if (taken.length === count) {
      break;
    }
  }
  return taken;
}
