// What is said of a guest on its way from one hypervisor to another. Wherever it is, it is one guest that runs; only at the
// very end of its way it may stand still.
import type { MigrationPlan } from '#crds/v1alpha1/migration-status.ts';
import type { VirtualMachineStatus } from '#crds/v1alpha1/virtual-machine-status.ts';
import { activeMigration, hasJustArrived } from './migration.ts';
import type { Verdict } from './verdict-facts.ts';

/** `running` is what is said of it otherwise, where it is seen to run. Undefined where no migration is to be told of. */
export function migratingVerdict(status: VirtualMachineStatus, running: Verdict | undefined): Verdict | undefined {
  if (hasJustArrived(status)) return arrived(status.placement?.hypervisor ?? '');
  const active = activeMigration(status);
  switch (active?.source?.state) {
    case 'Stayed':
      return undefined;
    case 'Held':
    case 'Gone':
      return atTheEnd(active.plan);
    case 'Moving':
      return running === undefined ? undefined : whileItRuns(active.plan, status, running);
    case undefined:
      return active === undefined ? undefined : beforeItMoves(active.plan, status, running);
  }
}

function beforeItMoves(plan: MigrationPlan, status: VirtualMachineStatus, running: Verdict | undefined) {
  if (running === undefined || status.granted?.powerState !== 'Running') return undefined;
  return whileItRuns(plan, status, running);
}

function whileItRuns(plan: MigrationPlan, { granted }: VirtualMachineStatus, running: Verdict): Verdict {
  if (granted?.powerState !== 'Running') return stopsAfter(plan);
  if (!running.ready) return { ...running, phase: 'Migrating' };
  return { ...running, phase: 'Migrating', reason: 'Migrating', message: inWords(plan) };
}

function arrived(target: string): Verdict {
  const message = `The guest has arrived and runs on ${target}.`;
  return { phase: 'Migrating', ready: true, progress: 'Settled', reason: 'Arrived', message };
}

function inWords({ source, target }: MigrationPlan): string {
  return `Running on ${source}, and moving to ${target}.`;
}

function stopsAfter(plan: MigrationPlan): Verdict {
  const message = `${inWords(plan)} That is given up, or finished where it is too late; then the guest is stopped.`;
  return { phase: 'Migrating', ready: false, progress: 'Reconciling', reason: 'Migrating', message };
}

function atTheEnd({ source, target }: MigrationPlan): Verdict {
  const message =
    `The guest left ${source} and is not known to run on ${target} yet: its daemon is asked. ` +
    'Nothing is started before it answers.';
  return { phase: 'Migrating', ready: false, progress: 'Reconciling', reason: 'HandingOver', message };
}
