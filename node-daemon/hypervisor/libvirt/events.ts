// libvirt's call-backs become events of the port, each watcher with a queue of its own that is never longer than its bound.
import type { DriverEvent, EventInitiator } from '#node-daemon/hypervisor/driver.ts';
import type { LibvirtEvent } from './rpc/event-calls.ts';

const MAX_QUEUED = 1024;

/** virDomainEventType, with what its details mean. */
const EVENTS: Readonly<Record<number, { readonly name: string; readonly details: readonly string[] }>> = {
  0: { name: 'Defined', details: ['added', 'updated', 'renamed', 'from a snapshot'] },
  1: { name: 'Undefined', details: ['removed', 'renamed'] },
  2: { name: 'Started', details: ['booted', 'migrated', 'restored', 'from a snapshot', 'woken up'] },
  3: { name: 'Suspended', details: ['paused', 'migrated', 'I/O error', 'watchdog', 'restored', 'from a snapshot'] },
  4: { name: 'Resumed', details: ['unpaused', 'migrated', 'from a snapshot'] },
  5: {
    name: 'Stopped',
    details: ['shutdown', 'destroyed', 'crashed', 'migrated', 'saved', 'failed', 'from a snapshot'],
  },
  6: { name: 'Shutdown', details: ['finished', 'by the guest', 'by the host'] },
  7: { name: 'Suspended', details: ['to memory', 'to disk'] },
  8: { name: 'Crashed', details: ['panicked', 'crash loaded'] },
};
const [STARTED, STOPPED, SHUTDOWN, CRASHED] = [2, 5, 6, 8];
const STOPPED_DESTROYED = 1;
const SHUTDOWN_BY: Readonly<Record<number, EventInitiator>> = { 1: 'Guest', 2: 'Host' };

/**
 * Remembers who began a shutdown until its end is announced: libvirt says so in the first of the two events only. A
 * guest that obeys a request to shut down counts as the initiator, as it does in libvirt.
 */
export class EventTranslator {
  readonly #initiators = new Map<string, EventInitiator>();

  translate(event: LibvirtEvent): DriverEvent {
    if (event.kind === 'MetadataChanged') {
      return { kind: 'Changed', uuid: event.uuid, detail: 'Metadata changed', initiator: 'Unknown' };
    }
    const { uuid } = event;
    return { kind: 'Changed', uuid, detail: detailOf(event), initiator: this.#initiatorOf(event) };
  }

  #initiatorOf({ uuid, event, detail }: LibvirtEvent & { kind: 'Lifecycle' }): EventInitiator {
    if (event === SHUTDOWN || event === CRASHED) {
      const initiator = event === CRASHED ? 'Guest' : (SHUTDOWN_BY[detail] ?? 'Unknown');
      this.#initiators.set(uuid, initiator);
      return initiator;
    }
    const remembered = this.#initiators.get(uuid);
    if (event === STARTED || event === STOPPED) {
      this.#initiators.delete(uuid);
    }
    if (event !== STOPPED) {
      return 'Unknown';
    }
    return detail === STOPPED_DESTROYED ? 'Host' : (remembered ?? 'Unknown');
  }
}

function detailOf({ event, detail }: LibvirtEvent & { kind: 'Lifecycle' }): string {
  const known = EVENTS[event];
  if (known === undefined) {
    return `Event ${event}`;
  }
  const qualifier = known.details[detail];
  return qualifier === undefined ? known.name : `${known.name}: ${qualifier}`;
}

/** Hands every event to every watcher. */
export class EventHub {
  readonly #queues = new Set<EventQueue>();
  #closed = false;

  publish(event: DriverEvent): void {
    for (const queue of this.#queues) {
      queue.push(event);
    }
  }

  /** Events from now on, until the signal aborts or the hub closes. */
  watch(signal: AbortSignal): AsyncIterable<DriverEvent> {
    const queue = new EventQueue();
    if (this.#closed || signal.aborted) {
      queue.end();
      return queue;
    }
    this.#queues.add(queue);
    signal.addEventListener(
      'abort',
      () => {
        this.#queues.delete(queue);
        queue.end();
      },
      { once: true },
    );
    return queue;
  }

  close(): void {
    this.#closed = true;
    for (const queue of this.#queues) {
      queue.end();
    }
    this.#queues.clear();
  }
}

class EventQueue implements AsyncIterable<DriverEvent> {
  #events: DriverEvent[] = [];
  #ended = false;
  #wake: () => void = () => {};

  /** A watcher that does not keep up is told to look at everything instead of at each thing. */
  push(event: DriverEvent): void {
    if (this.#events.length >= MAX_QUEUED) {
      this.#events = [{ kind: 'Reconnected' }];
    }
    this.#events.push(event);
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<DriverEvent> {
    while (!this.#ended) {
      const event = this.#events.shift();
      if (event === undefined) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      } else {
        yield event;
      }
    }
  }
}
