// What a verdict is, and what it is found from.
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
