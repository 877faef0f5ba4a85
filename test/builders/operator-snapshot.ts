// What the operator decides on, gathered as it gathers it.
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import { DEFAULT_MIGRATION } from '#operator/migration/settings.ts';
import type { Candidate } from '#operator/placement/candidate.ts';
import { Ledger } from '#operator/placement/ledger.ts';
import { Refusals } from '#operator/placement/refusals.ts';
import type { Action } from '#operator/virtual-machine/actions.ts';
import { observe } from '#operator/virtual-machine/observe.ts';
import type { Snapshot } from '#operator/virtual-machine/snapshot.ts';
import { VirtualClock } from '#runtime/clock/virtual.ts';
import { candidate } from './hypervisor.ts';

/** This VM among these hypervisors; hv1 alone, with room, where they are left out. */
export function operatorSnapshot(
  vm: VirtualMachine,
  candidates: readonly Candidate[] = [candidate()],
  changes: Partial<Snapshot> = {},
): Snapshot {
  const context = {
    candidates: () => candidates,
    silence: () => undefined,
    candidate: (wanted: string) => candidates.find(({ name }) => name === wanted),
    ledger: new Ledger(),
    refusals: new Refusals(),
    foreignFor: () => undefined,
    claimFor: () => undefined,
    hold: () => undefined,
    waiting: new Map<string, number>(),
    clock: new VirtualClock(),
    migration: DEFAULT_MIGRATION,
  };
  return { ...observe(context, vm), ...changes };
}

/** For example "Grant Running, Place hv1 (1)". */
export function actionsText(actions: readonly Action[]): string {
  return actions.length === 0 ? 'nothing' : actions.map(actionText).join(', ');
}

const lessText = { Allow: '', Modify: ', but less', Defer: ', for now' } as const;

function actionText(action: Action): string {
  switch (action.kind) {
    case 'Grant':
      return `Grant ${action.granted.powerState}${lessText[action.verdict]}`;
    case 'Place':
      return `Place ${action.hypervisor} (${action.epoch})`;
    case 'Recover':
      return `Recover ${action.hypervisor} (${action.epoch})`;
    case 'Bind':
      return `Bind ${action.uuid}`;
    case 'CannotPlace':
    case 'CannotGrow':
    case 'CannotRestore':
      return `${action.kind} ${action.code}`;
    case 'MarkReachable':
      return action.reachable ? 'Reachable' : `Unreachable ${action.code}`;
    case 'MarkExpiry':
      return action.expired?.code ?? 'Expires late';
    case 'StartMigration':
    case 'Arrive':
      return `${action.kind} ${action.plan.source} to ${action.plan.target} (${action.plan.epoch})`;
    case 'EndMigration':
      return `${action.kind} ${action.result}`;
    case 'Finalize':
      return action.risk === undefined ? 'Finalize' : 'Finalize, by force';
    case 'Ask':
      return `Ask ${action.operation.type}`;
    case 'Refuse':
      return `Refuse: ${action.reason}`;
    case 'Withdraw':
    case 'Abandon':
    case 'AbortMigration':
    case 'RestoreSpec':
    case 'ShowDeletion':
      return action.kind;
  }
}
