// Hands the events of the simulated hypervisor to everyone who watches.
import type { DriverEvent } from '../driver.ts';

/** Whoever falls behind by more than this is told to look at everything again. */
const QUEUE_MAX = 10_000;

interface Queue {
  events: DriverEvent[];
  wake(): void;
}

export class EventHub {
  readonly #queues = new Set<Queue>();
  #toLose = 0;
  /** Told of every event at the moment it happens, of those too that are lost on their way to the watchers. */
  witness: (event: DriverEvent) => void = () => {};

  emit(event: DriverEvent): void {
    this.witness(event);
    if (this.#toLose > 0) {
      this.#toLose -= 1;
      return;
    }
    for (const queue of this.#queues) {
      if (queue.events.length >= QUEUE_MAX) {
        queue.events = [{ kind: 'Reconnected' }];
      } else {
        queue.events.push(event);
      }
      queue.wake();
    }
  }

  /** The next events reach nobody. */
  lose(count: number): void {
    this.#toLose = count;
  }

  /** Events from this call on, until the signal aborts. */
  subscribe(signal: AbortSignal): AsyncIterable<DriverEvent> {
    const queue: Queue = { events: [], wake: () => {} };
    if (!signal.aborted) {
      this.#queues.add(queue);
      signal.addEventListener('abort', () => this.#drop(queue), { once: true });
    }
    return drain(queue, signal);
  }

  #drop(queue: Queue): void {
    this.#queues.delete(queue);
    queue.wake();
  }
}

async function* drain(queue: Queue, signal: AbortSignal): AsyncIterable<DriverEvent> {
  while (!signal.aborted) {
    yield* takeAll(queue);
    if (queue.events.length === 0 && !signal.aborted) {
      await new Promise<void>((resolve) => {
        queue.wake = resolve;
      });
    }
  }
}

function takeAll(queue: Queue): DriverEvent[] {
  const taken = queue.events;
  queue.events = [];
  return taken;
}
