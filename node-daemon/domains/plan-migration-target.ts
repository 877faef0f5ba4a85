// A guest that comes here from another hypervisor, which holds its permission still. Pure. What has run here is never
// ended; what only stands still here, half received, is, once the other side sends no more.
import { type ActiveMigration, activeMigration } from '#crds/derive/migration.ts';
import type { MigrationTarget } from '#crds/v1alpha1/migration-status.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import { type Domain, type DomainMetadata, isUp } from '../hypervisor/driver.ts';
import { act, type Plan } from './actions.ts';
import {
  HALF_RECEIVED_MS,
  HOLD_RETRY_MS,
  HYPERVISOR_SILENT_RETRY_MS,
  LEASE_RETRY_MS,
  LOOK_AT_MOVE_MS,
  ROOM_RETRY_MS,
} from './pauses.ts';
import { pauseAfterFailed } from './plan-again.ts';
import { presentDomain, type Snapshot } from './snapshot.ts';

interface Arriving {
  readonly snapshot: Snapshot;
  readonly vm: VirtualMachine;
  readonly migration: ActiveMigration;
}

/** Undefined where nothing moves here by now. */
export function planTarget(snapshot: Snapshot, vm: VirtualMachine): Plan | undefined {
  const migration = activeMigration(vm.status);
  if (migration?.plan.target !== snapshot.self.name) return undefined;
  const arriving = { snapshot, vm, migration };
  const domain = presentDomain(snapshot);
  if (domain === undefined) return planAbsent(arriving);
  if (domain.metadata === undefined) return tellOnce(arriving, 'Refused', foreign(snapshot, domain));
  // The migration is one of a backup, and long past.
  if (domain.metadata.epoch > migration.plan.epoch) return undefined;
  switch (domain.powerState) {
    case 'Unknown':
    case 'Outgoing':
      return wait('The hypervisor does not know its state.');
    case 'Incoming':
      return planIncoming(snapshot, isSending(migration));
    case 'Running':
    case 'Paused':
    case 'Saving':
    case 'ShuttingDown':
      return planArrived(arriving, domain.metadata);
    case 'ShutOff':
    case 'Crashed':
      return planUndefine(snapshot, 'It is to come anew, or has ended here.');
  }
}

function foreign({ self }: Snapshot, { name }: Domain): string {
  return `The guest ${name} on ${self.name} has the uuid of this VM and no marks of Usher.`;
}

/**
 * Nothing comes before it was told Ready: a guest that runs here then is another one's affair. One that bears the epoch
 * which only an arrival gives has arrived, though a backup does not know of that.
 */
function planArrived(arriving: Arriving, { epoch }: DomainMetadata): Plan {
  const { snapshot, migration } = arriving;
  if (migration.target === undefined && migration.source === undefined && epoch < migration.plan.epoch)
    return tellOnce(arriving, 'Refused', `A guest of this uuid runs on ${snapshot.self.name} already.`);
  return tellOnce(arriving, 'Running');
}

/** Whoever still sends may yet make it run here. */
function isSending({ source }: ActiveMigration): boolean {
  return source?.state !== 'Held' && source?.state !== 'Gone';
}

function planIncoming(snapshot: Snapshot, sends: boolean): Plan {
  const late = (snapshot.move?.unchangedFor ?? 0) >= HALF_RECEIVED_MS;
  if (sends || !late) return wait('It is coming in.');
  return act(snapshot, { kind: 'PullPlug', reason: 'It was never received whole, and nobody sends any more.' });
}

function planUndefine(snapshot: Snapshot, reason: string): Plan {
  const again = pauseAfterFailed(snapshot, 'Undefine');
  if (again > 0) return { kind: 'Nothing', reason: 'It could not be removed.', again };
  return act(snapshot, { kind: 'Undefine', reason });
}

function planAbsent(arriving: Arriving): Plan {
  const { migration, snapshot } = arriving;
  const { plan, target } = migration;
  if (target?.state === 'Running') return tellOnce(arriving, 'Absent', `The guest ended on ${snapshot.self.name}.`);
  if (plan.step === 'Move') return target === undefined ? planAdmission(arriving) : wait('It has not come yet.');
  if (isSending(migration)) return wait('The other side has not stopped sending.');
  return tellOnce(arriving, 'Absent', `The guest is not on ${snapshot.self.name}.`);
}

function planAdmission(arriving: Arriving): Plan {
  const { snapshot, migration } = arriving;
  const { self, room, move } = snapshot;
  if (migration.plan.targetUID !== self.uid)
    return tellOnce(arriving, 'Refused', `It was meant for a Hypervisor ${self.name} that has since been replaced.`);
  if (snapshot.hold !== 'None')
    return { kind: 'Nothing', reason: 'Nothing is taken in while the site is on hold.', again: HOLD_RETRY_MS };
  if (!snapshot.leaseValid)
    return { kind: 'Nothing', reason: 'Nothing is taken in while the Lease is not renewed.', again: LEASE_RETRY_MS };
  if (room.fits === undefined) return { kind: 'Nothing', reason: room.reason, again: ROOM_RETRY_MS };
  if (!room.fits) return tellOnce(arriving, 'Refused', `There is no room on ${self.name}. ${room.reason}`);
  if (move?.obstacle !== undefined)
    return tellOnce(arriving, 'Refused', `${self.name} cannot take it: ${move.obstacle}.`);
  return tellOnce(arriving, 'Ready');
}

/** The VM's migration here is over, and it is placed elsewhere: what was half received is left, or what has ended. */
export function planLeftByMigration(snapshot: Snapshot, { status }: VirtualMachine, domain: Domain): Plan | undefined {
  if (status?.migration?.plan?.target !== snapshot.self.name || domain.metadata === undefined) return undefined;
  if (domain.powerState === 'Incoming') return planIncoming(snapshot, false);
  return isUp(domain) ? undefined : planUndefine(snapshot, 'It did not come to run here.');
}

function tellOnce({ migration }: Arriving, state: MigrationTarget['state'], reason?: string): Plan {
  const { attempt } = migration.plan;
  if (migration.target?.state === state) return wait('That was told.');
  const told = { attempt, state, ...(reason === undefined ? {} : { reason }) };
  return { kind: 'TellMove', side: 'target', told, again: LOOK_AT_MOVE_MS };
}

function wait(reason: string): Plan {
  return { kind: 'Nothing', reason, again: HYPERVISOR_SILENT_RETRY_MS };
}
