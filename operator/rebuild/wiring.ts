// Puts together what looks after the site as a whole: its hold, and the guests that no VirtualMachine declares.
import type { DomainReport } from '#crds/v1alpha1/domain-report.ts';
import { reconcileSite, type SiteContext, type SiteState } from '#operator/site/reconcile.ts';
import { controller, type OperatorOptions, type Term } from '#operator/term.ts';
import type { World } from '#operator/world.ts';
import { timestampOf } from '#runtime/clock/clock.ts';
import type { Controller } from '#runtime/controller/controller.ts';
import { keyOf, keyText } from '#runtime/kube/resource.ts';
import { guardedStore } from '#runtime/lease/guarded-store.ts';
import type { ReportContext } from './context.ts';
import { guestsIn, reconcileReport } from './reconcile.ts';
import { Reports } from './reports.ts';

function reportContext({ options, world, isLeading }: Term, state: SiteState): ReportContext {
  return {
    store: guardedStore(options.store, isLeading),
    reports: reportsOf(options, world),
    ownWrites: world.reportWrites,
    machines: world.machines.cache,
    hypervisors: world.hypervisors.cache,
    phase: () => state.hold?.phase,
    wasAtHome: (uuid) => state.atHome.has(uuid),
    warn: options.warn,
    refused: (reason) => options.siteObserver?.refused(reason),
    clock: options.clock,
    logger: options.logger,
  };
}

/** All that is reported, as this site's key judges it. */
export function reportsOf({ signer }: OperatorOptions, { reports }: World): Reports {
  return new Reports(reports.cache, (payload, signature) => signer.verify(payload, signature));
}

/** Of each report of a guest. */
export function reportController(term: Term, state: SiteState): Controller {
  const context = reportContext(term, state);
  return controller(term.options, 'domain-report', async (name, signal) =>
    state.isKnown ? reconcileReport(context, name, signal) : {},
  );
}

/** Of the site, under its one key. */
export function siteController(term: Term, state: SiteState, onChange: () => void): Controller {
  const { options, world, isLeading, onOtherControlPlane } = term;
  const reports = reportContext(term, state);
  const context: SiteContext = {
    store: guardedStore(options.store, isLeading),
    state,
    hypervisors: () => world.hypervisors.cache.list().map((cached) => world.hypervisorWrites.latest(cached)),
    guests: () => guestsIn(reports),
    nextId: () => holdId(options),
    onChange,
    onOtherControlPlane,
    warn: options.warn,
    observed: (held, waitingFor) => options.siteObserver?.held(held, waitingFor),
    logger: options.logger,
  };
  return controller(options, 'site', async (_key, signal) => reconcileSite(context, signal));
}

/** Of this moment and this process alone. */
function holdId({ clock, random }: OperatorOptions): string {
  const part = Math.floor(random() * 0x1_0000_0000)
    .toString(16)
    .padStart(8, '0');
  return `${timestampOf(clock.now()).replaceAll(':', '-')}-${part}`;
}

/** Keys of the VMs that a report may be about. */
export function concernedBy(world: World, { spec, status }: DomainReport): string[] {
  const owners = world.machines.cache.byIndex('instance', spec.uuid).map((vm) => keyText(keyOf(vm)));
  return status?.marks === undefined ? owners : [...owners, `${status.marks.namespace}/${status.marks.name}`];
}

/** Names of the reports of this guest, or of all. */
export function reportsIn({ reports }: World, uuid?: string): string[] {
  const some = uuid === undefined ? reports.cache.list() : reports.cache.byIndex('uuid', uuid);
  return some.map(({ metadata }) => metadata.name);
}

/** Names of the reports of guests of this hypervisor, whose rules may have changed. */
export function reportsOn({ reports }: World, hypervisor: string): string[] {
  return reports.cache.list().flatMap(({ spec, metadata }) => (spec.nodeName === hypervisor ? [metadata.name] : []));
}
