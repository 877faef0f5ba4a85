// Two ways to notice what happens on the hypervisor: its call-backs, and a look at everything every so often, because
// call-backs may be missed.
import { instanceUuid } from '#crds/derive/signed-payload.ts';
import type { Hypervisor } from '#crds/v1alpha1/hypervisor.ts';
import type { Random } from '#runtime/clock.ts';
import type { DomainContext } from './domains/context.ts';
import type { Domain, DriverEvent } from './hypervisor/driver.ts';
import type { HypervisorReporter } from './inventory/report.ts';

export interface ScannerOptions {
  readonly context: DomainContext;
  readonly reporter: Pick<HypervisorReporter, 'report'>;
  readonly hypervisor: () => Hypervisor;
  readonly random: Random;
  readonly enqueue: (uuid: string) => void;
}

const SCAN_JITTER = 0.1;
/** Changes come in bursts; what the Hypervisor says of them all is written once. */
const SETTLE_MS = 1_000;

export class Scanner {
  readonly #options: ScannerOptions;
  #wake: (() => void) | undefined;
  #wanted = false;

  constructor(options: ScannerOptions) {
    this.#options = options;
  }

  /** Until the signal aborts; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#scanRegularly(signal), this.#followEvents(signal)]);
  }

  /** Something changed: scan again within about a second. */
  scanSoon(): void {
    this.#wanted = true;
    this.#wake?.();
  }

  async #scanRegularly(signal: AbortSignal): Promise<void> {
    const { context, hypervisor, random } = this.#options;
    while (!signal.aborted) {
      this.#wanted = false;
      await this.#scan(signal).catch((error: unknown) => {
        if (!signal.aborted) context.logger.warn('the scan failed; it is tried again', { error });
      });
      const interval = hypervisor().spec.scanIntervalSeconds * 1000;
      await this.#wait(interval * (1 - SCAN_JITTER * random()), signal);
      await context.clock.sleep(SETTLE_MS, signal).catch(() => undefined);
    }
  }

  async #scan(signal: AbortSignal): Promise<void> {
    const { context, reporter, enqueue } = this.#options;
    const mark = context.admission.mark();
    const domains = await reporter.report(signal);
    if (domains !== undefined) this.#take(domains, mark);
    for (const vm of context.machines.list()) enqueue(instanceUuid(vm));
  }

  #take(domains: readonly Domain[], mark: number): void {
    const { context, enqueue } = this.#options;
    context.admission.observeAll(domains, mark);
    for (const { uuid, metadata } of domains) {
      if (metadata !== undefined) enqueue(uuid);
    }
  }

  async #wait(milliseconds: number, signal: AbortSignal): Promise<void> {
    if (this.#wanted) return;
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    await this.#options.context.clock
      .sleep(milliseconds, AbortSignal.any([signal, woken.signal]))
      .catch(() => undefined);
    this.#wake = undefined;
  }

  async #followEvents(signal: AbortSignal): Promise<void> {
    const { driver, logger } = this.#options.context;
    for await (const event of driver.watch(signal)) {
      logger.debug('hypervisor event', { ...event });
      this.#follow(event);
    }
  }

  #follow(event: DriverEvent): void {
    const { context, enqueue } = this.#options;
    if (event.kind === 'Changed') {
      if (event.initiator !== 'Unknown') context.initiators.set(event.uuid, event.initiator);
      enqueue(event.uuid);
    }
    this.scanSoon();
  }
}
