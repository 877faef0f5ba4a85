// What a VM is to be when an operation is done with it, and whether it is.
import { isConditionTrue } from '#crds/conditions.ts';
import { currentInstance, epochIsOver } from '#crds/derive/epoch.ts';
import type { OperationType } from '#crds/v1alpha1/operation-spec.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { VirtualMachineSpec } from '#crds/v1alpha1/virtual-machine-spec.ts';

export type PowerState = VirtualMachineSpec['powerState'];

/** A power state that it is declared to have; that it is gone; that its guest has moved; or that something was done once to it. */
export type Goal =
  | { readonly kind: 'Be'; readonly powerState: PowerState }
  | { readonly kind: 'Gone' }
  | { readonly kind: 'Moved' }
  | { readonly kind: 'Once' }
  /** That it has a guest which was there before. */
  | { readonly kind: 'Adopted' };

export const goals = {
  Start: { kind: 'Be', powerState: 'Running' },
  Shutdown: { kind: 'Be', powerState: 'Stopped' },
  PowerOff: { kind: 'Be', powerState: 'Stopped' },
  Destroy: { kind: 'Gone' },
  Pause: { kind: 'Be', powerState: 'Paused' },
  Resume: { kind: 'Be', powerState: 'Running' },
  Hibernate: { kind: 'Be', powerState: 'Hibernated' },
  Restore: { kind: 'Be', powerState: 'Running' },
  Migrate: { kind: 'Moved' },
  Reboot: { kind: 'Once' },
  Cycle: { kind: 'Once' },
  Adopt: { kind: 'Adopted' },
  Release: { kind: 'Gone' },
} as const satisfies Record<OperationType, Goal>;

/** Whether it is what it shall be, as its newest spec was decided; changes that wait for a restart do not count. */
export function isReached(vm: VirtualMachine, goal: PowerState): boolean {
  if (!isDecided(vm) || vm.spec.powerState !== goal || vm.status?.granted?.powerState !== goal) return false;
  return vm.status.phase === goal && (goal === 'Running' || isConditionTrue(vm.status.conditions, 'Ready'));
}

/** Whether the newest spec was decided on. */
export function isDecided({ metadata, status }: VirtualMachine): boolean {
  return status?.granted?.generation === metadata.generation;
}

/** Whether its guest runs, under a permission that is not over, as far as anybody knows. */
export function isUp({ status }: VirtualMachine): boolean {
  return status?.phase === 'Running' && !epochIsOver(status);
}

/** Whether its guest stands still, under a permission that is not over. */
export function standsStill({ status }: VirtualMachine): boolean {
  return status?.phase === 'Paused' && !epochIsOver(status);
}

/** Whether its memory is kept, to go on from. */
export function isHibernated({ status }: VirtualMachine): boolean {
  return status?.phase === 'Hibernated' && !epochIsOver(status);
}

/** Whether it is off though it is declared to run, because it ended by itself: nobody starts it unasked. */
export function hasEnded({ spec, status }: VirtualMachine): boolean {
  const state = currentInstance(status)?.powerState;
  return spec.powerState === 'Running' && state === 'Stopped' && status?.phase === 'Stopped';
}
