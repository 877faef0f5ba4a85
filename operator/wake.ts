// Whom each change of what the operator sees wakes while it leads.
import { instanceUuid } from '#crds/derive/signed-payload.ts';
import type { Controller } from '#runtime/controller/controller.ts';
import { keyOf, keyText } from '#runtime/kube/resource.ts';
import type { Drains } from './migration/drains.ts';
import { concernedBy, reportsIn, reportsOn } from './rebuild/wiring.ts';
import type { SiteState } from './site/reconcile.ts';
import type { Listener, World } from './world.ts';

export const SITE_KEY = 'site';

type Wakeable = Pick<Controller, 'enqueue'>;

interface Awake extends Record<'hypervisors' | 'machines' | 'takeovers' | 'operations' | 'reports' | 'site', Wakeable> {
  readonly state: SiteState;
  readonly waiting: ReadonlyMap<string, number>;
  readonly drains: Pick<Drains, 'forget'>;
}

export function listenerFor(world: World, awake: Awake): Listener {
  const { hypervisors, takeovers, operations, machines, waiting, drains } = awake;
  return {
    ...ofMachines(world, awake),
    ...ofReports(world, awake),
    machineForgotten: (uid) => drains.forget(uid),
    hypervisorChanged: (name) => {
      hypervisors.enqueue(name);
      awake.site.enqueue(SITE_KEY);
    },
    operationChanged: (key) => operations.enqueue(key),
    operationsChanged: (namespace) => liveOperations(world, namespace).forEach((key) => operations.enqueue(key)),
    homeChanged: (name) => {
      heldBy(world, name).forEach((key) => machines.enqueue(key));
      reportsOn(world, name).forEach((report) => awake.reports.enqueue(report));
    },
    heldChanged: (name) => takeovers.enqueue(name),
    roomAppeared: () => waiting.forEach((_told, key) => machines.enqueue(key)),
  };
}

function ofMachines(world: World, awake: Awake): Pick<Listener, 'machineChanged'> {
  const { hypervisors, machines, reports, site, state } = awake;
  return {
    machineChanged: (key, vm) => {
      machines.enqueue(key);
      reportsIn(world, instanceUuid(vm)).forEach((name) => reports.enqueue(name));
      if (state.hold !== undefined) site.enqueue(SITE_KEY);
      // Which guests are left is said of a hypervisor that is to be emptied.
      const home = vm.status?.placement?.hypervisor;
      if (home !== undefined && world.hypervisors.cache.get(home)?.spec.maintenance === true) hypervisors.enqueue(home);
    },
  };
}

function ofReports(world: World, { machines, reports, site, state }: Awake): Pick<Listener, 'reportChanged'> {
  return {
    reportChanged: (report) => {
      [report.metadata.name, ...reportsIn(world, report.spec.uuid)].forEach((name) => reports.enqueue(name));
      concernedBy(world, report).forEach((key) => machines.enqueue(key));
      if (state.hold !== undefined) site.enqueue(SITE_KEY);
    },
  };
}

/** Keys of the VMs that a hypervisor holds. */
export function heldBy(world: World, hypervisor: string): string[] {
  return world.machines.cache.byIndex('hypervisor', hypervisor).map((vm) => keyText(keyOf(vm)));
}

/** Keys of those that are not over. */
function liveOperations({ operations }: World, namespace: string): string[] {
  const all = operations.cache.byIndex('namespace', namespace);
  return all.filter(({ status }) => status?.completionTime === undefined).map((one) => keyText(keyOf(one)));
}

export function wakeEverything(
  world: World,
  to: Record<'hypervisors' | 'machines' | 'reports' | 'operations', Wakeable>,
): void {
  world.hypervisors.cache.list().forEach((hypervisor) => to.hypervisors.enqueue(hypervisor.metadata.name));
  world.machines.cache.list().forEach((vm) => to.machines.enqueue(keyText(keyOf(vm))));
  reportsIn(world).forEach((name) => to.reports.enqueue(name));
  world.operations.cache.list().forEach((operation) => to.operations.enqueue(keyText(keyOf(operation))));
}

/** All that may change with whether a hypervisor is heard. */
export function wakeHeld(listener: Listener, hypervisor: string): void {
  listener.heldChanged(hypervisor);
  listener.homeChanged(hypervisor);
}
