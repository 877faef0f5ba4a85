// What is told of one target, in words.
import { findCondition } from '#crds/conditions.ts';
import { activeMigration } from '#crds/derive/migration.ts';
import { limits } from '#crds/v1alpha1/limits.ts';
import type { OperationResult, Outcome } from '#crds/v1alpha1/operation-status.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { Action } from './actions.ts';
import { requesterOf } from './requester.ts';
import { deniedInWords, type Verb } from './rights.ts';
import type { Snapshot } from './snapshot.ts';

export type Settle = Extract<Action, { kind: 'Settle' }>;

/** What is told of one target. */
export interface Told {
  readonly outcome: Outcome;
  readonly reason: string;
  readonly message: string;
  readonly seconds?: number;
  readonly vm?: VirtualMachine;
}

/** Only what runs can be rebooted, cycled or moved. */
export function notUp({ status }: VirtualMachine): Told {
  const moving = activeMigration(status);
  if (moving !== undefined) {
    const { source, target } = moving.plan;
    return {
      outcome: 'Failed',
      reason: 'Migrating',
      message: `It moves from ${source} to ${target}: ask again after that.`,
    };
  }
  const why = findCondition(status?.conditions, 'Ready')?.message ?? '';
  return {
    outcome: 'Failed',
    reason: 'NotRunning',
    message: `Its guest does not run: it is ${status?.phase ?? 'Pending'}. ${why}`.trim(),
  };
}

/** The permission under which it was asked is past: its guest runs elsewhere since, or not any more. */
export function notUpThere(vm: VirtualMachine): Told {
  const { phase, migration, placement } = vm.status ?? {};
  if (phase !== 'Running' || placement === undefined || migration?.plan?.epoch !== placement.epoch) return notUp(vm);
  const message = `Its guest moved to ${placement.hypervisor} before that was done: ask again.`;
  return { outcome: 'Failed', reason: 'Moved', message };
}

export const supplanted: Told = {
  outcome: 'Unknown',
  reason: 'Replaced',
  message: 'Another operation took its place before it was told what came of it.',
};

/** Only what was hibernated can be restored. */
export function notHibernated({ status }: VirtualMachine): Told {
  const message = `It is ${status?.phase ?? 'Pending'}, and no memory of it is kept to go on from: an operation of type Start boots it.`;
  return { outcome: 'Failed', reason: 'NotHibernated', message };
}

/** The result of one target, as it is told. */
export function settle(name: string, { outcome, reason, message, seconds = 0, vm }: Told): Settle {
  const hypervisor = vm?.status?.placement?.hypervisor;
  const result: OperationResult = {
    name,
    outcome,
    reason,
    message: message.slice(0, limits.sentence),
    seconds,
    ...(hypervisor === undefined ? {} : { hypervisor }),
  };
  return { kind: 'Settle', result };
}

export function notFound(name: string): Told {
  const message = `There is no VirtualMachine ${name} here: check the name, or give a template for it to be created from.`;
  return { outcome: 'Failed', reason: 'NotFound', message };
}

export function denied({ operation }: Snapshot, verb: Verb, reason: string): Told {
  const { user } = requesterOf(operation);
  return {
    outcome: 'Denied',
    reason: 'Forbidden',
    message: deniedInWords(user, verb, operation.metadata.namespace, reason),
  };
}
