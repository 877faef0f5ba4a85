// Two ways to notice what happens on the hypervisor: its call-backs, and a look at everything every so often, because
// call-backs may be missed.
import { instanceUuid } from '#crds/derive/signed-payload.ts';
import type { Hypervisor } from '#crds/v1alpha1/hypervisor.ts';
import { type BackoffOptions, backoff } from '#runtime/clock/backoff.ts';
import type { Random } from '#runtime/clock/clock.ts';
import { pause } from '#runtime/clock/signals.ts';
import type { DomainContext } from './domains/context.ts';
import type { Domain, DriverEvent } from './hypervisor/driver.ts';
import { isDriverError } from './hypervisor/errors.ts';
import type { HypervisorReporter } from './inventory/report.ts';

export interface ScannerOptions {
  readonly context: Pick<DomainContext, 'admission' | 'machines' | 'driver' | 'initiators' | 'clock' | 'logger'>;
  readonly reporter: Pick<HypervisorReporter, 'report'>;
  readonly hypervisor: () => Hypervisor;
  readonly random: Random;
  readonly enqueue: (uuid: string) => void;
}

const SCAN_JITTER = 0.1;
/** After a scan that failed, for example because somebody else wrote to the Hypervisor at the same moment. */
const RETRY: BackoffOptions = { baseMs: 500, maxMs: 30_000 };
/** Changes come in bursts; what the Hypervisor says of them all is written once. */
const SETTLE_MS = 1_000;
/**
 * From one scan to the next while changes go on. What the Hypervisor says of itself decides nothing, and each scan looks
 * at every guest: with ten starts in ten seconds there was a scan, and a write, for each.
 */
const SPACING_MS = 5_000;

export class Scanner {
  readonly #options: ScannerOptions;
  #wake: (() => void) | undefined;
  #wanted: 'Not' | 'InTime' | 'Soon' = 'Not';

  constructor(options: ScannerOptions) {
    this.#options = options;
  }

  /** Until the signal aborts; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#scanRegularly(signal), this.#followEvents(signal)]);
  }

  /** Something changed: scan again within about a second. */
  scanSoon(): void {
    this.#wanted = 'Soon';
    this.#wake?.();
  }

  async #scanRegularly(signal: AbortSignal): Promise<void> {
    const { context, hypervisor, random } = this.#options;
    const retries = backoff(RETRY, random);
    while (!signal.aborted) {
      this.#wanted = 'Not';
      const began = context.clock.monotonic();
      const done = await this.#tryScan(signal);
      if (done) retries.reset();
      const interval = hypervisor().spec.scanIntervalSeconds * 1000;
      const wait = done ? interval * (1 - SCAN_JITTER * random()) : retries.next();
      await this.#waitUntil(() => this.#wanted !== 'Not', wait, signal);
      await pause(context.clock, SETTLE_MS, signal);
      const spacing = done ? began + SPACING_MS - context.clock.monotonic() : 0;
      await this.#waitUntil(() => this.#wanted === 'Soon', spacing, signal);
    }
  }

  async #tryScan(signal: AbortSignal): Promise<boolean> {
    try {
      await this.#scan(signal);
      return true;
    } catch (error) {
      if (!signal.aborted) this.#options.context.logger.warn('the scan failed; it is tried again', { error });
      return false;
    }
  }

  async #scan(signal: AbortSignal): Promise<void> {
    const { context, reporter, enqueue } = this.#options;
    const mark = context.admission.mark();
    try {
      await reporter.report((domains) => this.#take(domains, mark), signal);
    } finally {
      for (const vm of context.machines.list()) enqueue(instanceUuid(vm));
    }
  }

  #take(domains: readonly Domain[], mark: number): void {
    const { context, enqueue } = this.#options;
    context.admission.observeAll(domains, mark);
    for (const { uuid, metadata } of domains) {
      if (metadata !== undefined) enqueue(uuid);
    }
  }

  /** No longer than so many milliseconds. */
  async #waitUntil(enough: () => boolean, milliseconds: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options.context;
    const end = clock.monotonic() + milliseconds;
    for (let left = milliseconds; left > 0 && !enough() && !signal.aborted; left = end - clock.monotonic()) {
      const woken = new AbortController();
      this.#wake = () => woken.abort();
      await pause(clock, left, AbortSignal.any([signal, woken.signal]));
    }
    this.#wake = undefined;
  }

  async #followEvents(signal: AbortSignal): Promise<void> {
    const { driver, logger } = this.#options.context;
    try {
      for await (const event of driver.watch(signal)) {
        logger.debug('hypervisor event', { ...event });
        this.#follow(event);
      }
    } catch (error) {
      if (!isDriverError(error)) throw error;
      logger.warn('this hypervisor tells of no changes: they are noticed by scans alone', { error });
    }
  }

  #follow(event: DriverEvent): void {
    const { context, enqueue } = this.#options;
    if (event.kind !== 'Changed') {
      this.scanSoon();
      return;
    }
    if (event.initiator !== 'Unknown') context.initiators.set(event.uuid, event.initiator);
    enqueue(event.uuid);
    if (this.#wanted === 'Not') this.#wanted = 'InTime';
    this.#wake?.();
  }
}
