// What a verdict is, and what it is found from.
import { findCondition, isConditionFalse } from '#crds/conditions.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { Instance, Phase, VirtualMachineStatus } from '#crds/v1alpha1/virtual-machine-status.ts';

/** Settled: nothing will happen unasked. Reconciling: somebody is at it. Stalled: it needs a person. */
export type Progress = 'Settled' | 'Reconciling' | 'Stalled';

export interface Verdict {
  readonly phase: Phase;
  readonly ready: boolean;
  readonly progress: Progress;
  readonly reason: string;
  readonly message: string;
}

export interface Facts {
  readonly vm: VirtualMachine;
  readonly status: VirtualMachineStatus;
  readonly instance: Instance | undefined;
  readonly hypervisor: string;
}

export function reconciling(phase: Phase, reason: string, message: string): Verdict {
  return { phase, ready: false, progress: 'Reconciling', reason, message };
}

export function stalled(phase: Phase, reason: string, message: string): Verdict {
  return { phase, ready: false, progress: 'Stalled', reason, message };
}

export function settled(phase: Phase, reason: string, message: string): Verdict {
  return { phase, ready: true, progress: 'Settled', reason, message };
}

/** Why its hypervisor cannot be asked; undefined where it can. */
export function unreachable(status: VirtualMachineStatus): string | undefined {
  if (!isConditionFalse(status.conditions, 'HypervisorReachable')) return undefined;
  return findCondition(status.conditions, 'HypervisorReachable')?.message;
}

/** How the guest ended, as it was told. */
export function ended(status: VirtualMachineStatus, otherwise: string): string {
  const message = status.lastTermination?.message ?? '';
  return message === '' ? otherwise : message;
}

/** A reason of Provisioned: it runs, and its CPU time is not shared out as was granted. */
export const GUARANTEES_NOT_KEPT = 'GuaranteesNotKept';
