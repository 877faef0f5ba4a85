// Tells of this machine on its Hypervisor object: what it has, what runs there, whether the driver answers.
import type { Amount } from '#crds/amount.ts';
import { activeMigration } from '#crds/derive/migration.ts';
import { instanceUuid } from '#crds/derive/signed-payload.ts';
import type { Hypervisor } from '#crds/v1alpha1/hypervisor.ts';
import { hypervisorResource } from '#crds/v1alpha1/kinds.ts';
import { writeStatus } from '#runtime/controller/status-patch.ts';
import { isKubeError } from '#runtime/kube/errors.ts';
import { OwnWrites } from '#runtime/reflector/own-writes.ts';
import type { Answers } from '../control-plane/answers.ts';
import type { DomainContext } from '../domains/context.ts';
import type { Domain } from '../hypervisor/driver.ts';
import { isDriverError, isUnanswered } from '../hypervisor/errors.ts';
import { inspected } from '../reports/inspected.ts';
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
  readonly answers: Pick<Answers, 'begin' | 'finish' | 'status'>;
  /** Is told why the hypervisor cannot be asked, and with undefined that it can. */
  readonly tellHypervisor?: (fault: string | undefined) => void;
}

interface Scan {
  readonly view: DriverView;
  /** Only where the list is complete. */
  readonly domains?: readonly Domain[];
}

/** Whether foreign guests have reports of their own. */
function isReporting({ adoption }: Hypervisor['spec']): boolean {
  return adoption?.mode !== 'Off';
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
    const { context, reserved, answers } = this.#reporting;
    const hold = answers.begin(this.#reporting.hypervisor());
    const { view, domains } = await this.#scan();
    this.#tell(view.kind === 'Seen' ? undefined : view.detail);
    const observed = this.#ownWrites.latest(this.#reporting.hypervisor());
    if (view.kind === 'Seen') {
      context.admission.setAllocatable(allocatableOf(view.node, reserved, observed.spec.overcommit));
    }
    if (view.kind === 'Seen') context.observer?.unmanaged(view.inventory.unmanagedCount);
    if (domains !== undefined) take(domains);
    // That we are heard again ends what others say of us. Only an answer to a hold must come after what it answers.
    if (hold === undefined) await this.#write(view, observed, signal);
    const complete = view.kind === 'Seen' && (await this.#publish(view.inventory, observed.spec, signal));
    if (hold === undefined) return;
    if (complete) await answers.finish(hold, view.inventory.orphaned.length);
    await this.#write(view, observed, signal);
  }

  async #write(driver: DriverView, observed: Hypervisor, signal: AbortSignal): Promise<void> {
    const { context, reserved, bootID, agentVersion, migration, answers } = this.#reporting;
    const next = hypervisorStatus({
      previous: observed.status,
      spec: observed.spec,
      generation: observed.metadata.generation ?? 0,
      driver,
      reserved,
      bootID,
      agentVersion,
      ...(migration === undefined ? {} : { migration }),
      controlPlane: answers.status(observed),
      now: context.clock.now(),
    });
    const written = await writeStatus(context.store, hypervisorResource, { observed, next, signal });
    this.#ownWrites.remember(written);
  }

  /** Whether all is told. What cannot be is told later: what the Hypervisor says of itself does not wait for it. */
  async #publish(inventory: Inventory, spec: Hypervisor['spec'], signal: AbortSignal): Promise<boolean> {
    const { orphaned, unconfirmed, managed } = inventory;
    const { context, reports } = this.#reporting;
    try {
      const foreign = isReporting(spec) ? await inspected(context, inventory.foreign) : [];
      await reports.publish(
        [...orphaned.map((domain) => ({ domain, reason: 'Orphaned' }) as const), ...foreign],
        signal,
      );
      return unconfirmed.length === 0 && !this.#hasArrivals(managed);
    } catch (error) {
      if (!isKubeError(error)) throw error;
      context.logger.warn('guests that nobody declares could not be reported; it is tried again', { error });
      return false;
    }
  }

  /** A migration of which the objects know no more has ended here: that is told of the VM, and not by a report. */
  #hasArrivals(domains: readonly Domain[]): boolean {
    const here = new Map(domains.map((domain) => [domain.uuid, domain]));
    return this.#reporting.context.incoming.list().some((vm) => {
      const { plan, target } = activeMigration(vm.status) ?? {};
      const told = target?.state === 'Running' || target?.state === 'Refused';
      return plan !== undefined && !told && here.get(instanceUuid(vm))?.metadata?.epoch === plan.epoch;
    });
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
