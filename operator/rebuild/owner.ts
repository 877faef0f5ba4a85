// What a VM says of a guest that is reported as nobody's.
import { currentInstance, epochIsOver } from '#crds/derive/epoch.ts';
import { isUpState } from '#crds/derive/instance-state.ts';
import { activeMigration } from '#crds/derive/migration.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { Claim } from './claims.ts';

/** No guest was ever started for it: it was given to no hypervisor, or the one that had it gave it back. */
export function neverRan({ metadata, status }: VirtualMachine): boolean {
  if (metadata.deletionTimestamp !== undefined || status?.lastTermination !== undefined) return false;
  return status?.placement === undefined || currentInstance(status)?.powerState === 'Refused';
}

/** It has its place, and nobody says that its guest is not up there. */
export function mayBeUp({ status }: VirtualMachine): boolean {
  const instance = currentInstance(status);
  return !epochIsOver(status) && (instance === undefined || isUpState(instance.powerState));
}

/** It is on its way there: the migration decides what becomes of it, and not a report. */
export function isOfMigration({ status }: VirtualMachine, { epoch, report }: Claim): boolean {
  const { plan } = activeMigration(status) ?? {};
  return plan?.target === report.spec.nodeName && epoch <= plan.epoch;
}
