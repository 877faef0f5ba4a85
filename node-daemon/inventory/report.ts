// Tells of this machine on its Hypervisor object: what it has, what runs there, whether the driver answers.
import type { Amount } from '#crds/amount.ts';
import { activeMigration } from '#crds/derive/migration.ts';
import { instanceUuid } from '#crds/derive/signed-payload.ts';
import type { Hypervisor } from '#crds/v1alpha1/hypervisor.ts';
import { hypervisorResource } from '#crds/v1alpha1/kinds.ts';
import { writeStatus } from '#runtime/controller/status-patch.ts';
import { isKubeError } from '#runtime/kube/errors.ts';
import { OwnWrites } from '#runtime/reflector/own-writes.ts';
import type { DomainContext } from '../domains/context.ts';
import type { Domain } from '../hypervisor/driver.ts';
import { isDriverError, isUnanswered } from '../hypervisor/errors.ts';
import type { DomainReporter } from '../reports/reporter.ts';
import { allocatableOf } from './capacity.ts';
import { type Inventory, takeInventory } from './inventory.ts';
import { type DriverView, hypervisorStatus } from './status.ts';

export interface HypervisorReporting {
  readonly context: DomainContext;
  readonly hypervisor: () => Hypervisor;
  readonly reserved: Amount;
  readonly bootID: string;
  readonly agentVersion: string;
  readonly migration?: { readonly address: string; readonly sharedPools: readonly string[] };
  readonly reports: Pick<DomainReporter, 'publish'>;
  /** Is told why the hypervisor cannot be asked, and with undefined that it can. */
  readonly tellHypervisor?: (fault: string | undefined) => void;
}

interface Scan {
  readonly view: DriverView;
  /** Only where the list is complete. */
  readonly domains?: readonly Domain[];
}

export class HypervisorReporter {
  readonly #reporting: HypervisorReporting;
  readonly #ownWrites = new OwnWrites<Hypervisor>();
  #fault: string | undefined;

  constructor(reporting: HypervisorReporting) {
    this.#reporting = reporting;
  }

  /**
   * Reads everything, hands on all guests where they could all be read, and writes what changed. Whether that can be
   * written is of no matter to the guests: they are handed on before.
   */
  async report(take: (domains: readonly Domain[]) => void, signal: AbortSignal): Promise<void> {
    const { context, reserved, bootID, agentVersion, migration } = this.#reporting;
    const { view, domains } = await this.#scan();
    this.#tell(view.kind === 'Seen' ? undefined : view.detail);
    const observed = this.#ownWrites.latest(this.#reporting.hypervisor());
    if (view.kind === 'Seen') {
      context.admission.setAllocatable(allocatableOf(view.node, reserved, observed.spec.overcommit));
    }
    if (view.kind === 'Seen') context.observer?.unmanaged(view.inventory.unmanagedCount);
    if (domains !== undefined) take(domains);
    if (view.kind === 'Seen') await this.#publish(view.inventory, signal);
    const next = hypervisorStatus({
      previous: observed.status,
      spec: observed.spec,
      generation: observed.metadata.generation ?? 0,
      driver: view,
      reserved,
      bootID,
      agentVersion,
      ...(migration === undefined ? {} : { migration }),
      now: context.clock.now(),
    });
    const written = await writeStatus(context.store, hypervisorResource, { observed, next, signal });
    this.#ownWrites.remember(written);
  }

  /** What cannot be told of strangers is told later: what the Hypervisor says of itself does not wait for it. */
  async #publish({ orphaned }: Inventory, signal: AbortSignal): Promise<void> {
    const { context, reports } = this.#reporting;
    try {
      await reports.publish(
        orphaned.map((domain) => ({ domain, reason: 'Orphaned' })),
        signal,
      );
    } catch (error) {
      if (!isKubeError(error)) throw error;
      context.logger.warn('guests that nobody declares could not be reported; it is tried again', { error });
    }
  }

  #tell(fault: string | undefined): void {
    const { context, tellHypervisor } = this.#reporting;
    tellHypervisor?.(fault);
    if (fault === this.#fault) return;
    if (fault === undefined) context.logger.info('the hypervisor answers again');
    else context.logger.warn('the hypervisor does not answer; it is tried again', { why: fault });
    this.#fault = fault;
  }

  async #scan(): Promise<Scan> {
    const { driver } = this.#reporting.context;
    try {
      const [node, capabilities, domains] = await Promise.all([driver.node(), driver.capabilities(), driver.list()]);
      return { view: { kind: 'Seen', node, capabilities, inventory: this.#inventory(domains) }, domains };
    } catch (error) {
      if (!isDriverError(error)) throw error;
      return { view: { kind: isUnanswered(error) ? 'Disconnected' : 'ScanFailed', detail: error.message } };
    }
  }

  #inventory(domains: readonly Domain[]) {
    const { machines, incoming, orphans } = this.#reporting.context;
    const coming = incoming.list().filter((vm) => activeMigration(vm.status) !== undefined);
    const known = new Map([...machines.list(), ...coming].map((vm) => [vm.metadata.uid, instanceUuid(vm)]));
    return takeInventory(domains, { known, orphans });
  }
}
