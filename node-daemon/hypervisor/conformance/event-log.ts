// Collects what a driver's watch yields.
import type { DriverEvent } from '../driver.ts';
import type { Workbench } from './workbench.ts';

export class EventLog {
  readonly events: DriverEvent[] = [];
  readonly #abort = new AbortController();
  readonly #bench: Workbench;
  #ended: Promise<void> = Promise.resolve();

  private constructor(bench: Workbench) {
    this.#bench = bench;
  }

  /** Resolves once events arrive: a probe is started and destroyed until one does. */
  static async open(bench: Workbench): Promise<EventLog> {
    const log = new EventLog(bench);
    log.#ended = log.#collect();
    const { uuid } = await bench.defined();
    await bench.eventually('the first event', async () => {
      await bench.driver.start(uuid);
      await bench.driver.destroy(uuid);
      return log.events.length > 0 ? true : undefined;
    });
    return log;
  }

  async #collect(): Promise<void> {
    for await (const event of this.#bench.driver.watch(this.#abort.signal)) {
      this.events.push(event);
    }
  }

  /** Waits for an event about this domain that is later than the first `after` events. */
  async changed(uuid: string, after: number): Promise<DriverEvent & { kind: 'Changed' }> {
    return this.#bench.eventually(`an event about ${uuid}`, async () => {
      await Promise.resolve();
      return this.events.slice(after).find((event) => event.kind === 'Changed' && event.uuid === uuid) as
        | (DriverEvent & { kind: 'Changed' })
        | undefined;
    });
  }

  async seen(kind: DriverEvent['kind'], after: number): Promise<void> {
    await this.#bench.eventually(`the event ${kind}`, async () => {
      await Promise.resolve();
      return this.events.slice(after).find((event) => event.kind === kind);
    });
  }

  /** Aborts the watch; resolves when its iteration has ended, rejects where it failed. */
  async close(): Promise<void> {
    this.#abort.abort();
    await this.#ended;
  }
}
