// Which VMs of a silent hypervisor are to be started elsewhere, and what each of them still waits for.
import { currentInstance, epochIsOver } from '#crds/derive/epoch.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { Proof } from '#crds/v1alpha1/virtual-machine-status.ts';
import type { Recovery } from './takeovers.ts';

/**
 * Declared so, meant to have a guest, and held by a hypervisor that has not given the permission back. One whose memory
 * lies on its disk is left alone: elsewhere it would boot without it, which only people decide.
 */
export function wantsTakeover({ metadata, spec, status }: VirtualMachine): boolean {
  if (spec.recovery.onLost !== 'Restart' || metadata.deletionTimestamp !== undefined) return false;
  const state = status?.granted?.powerState;
  const isOnDisk = currentInstance(status)?.powerState === 'Hibernated';
  return (state === 'Running' || state === 'Paused') && !isOnDisk && !epochIsOver(status);
}

/** Whether the guard of its machine was told to stop it, as its daemon reported under this permission. */
export function isGuarded({ status }: VirtualMachine): boolean {
  return currentInstance(status)?.guarded === true;
}

export interface Silence {
  readonly hypervisor: string;
  /** Milliseconds by the operator's own clock. */
  readonly forMs: number;
  readonly recovery: Recovery | undefined;
}

export type TakeoverVerdict =
  | { readonly kind: 'Proven'; readonly proof: Proof }
  | { readonly kind: 'Waiting'; readonly why: string; readonly again?: number };

/** Of a VM that wants to be recovered. Pure; `now` is monotonic. */
export function takeoverOf(vm: VirtualMachine, { hypervisor, forMs, recovery }: Silence, now: number): TakeoverVerdict {
  const { lostTimeoutSeconds } = vm.spec.recovery;
  const left = lostTimeoutSeconds * 1000 - forMs;
  const why = `a proof is looked for once ${hypervisor} has been silent for ${lostTimeoutSeconds} s (spec.recovery.lostTimeoutSeconds).`;
  if (left > 0) return { kind: 'Waiting', why, again: left };
  // There is nothing new to tell yet.
  if (recovery === undefined || (recovery.kind === 'Proven' && now >= recovery.until)) return { kind: 'Waiting', why };
  if (recovery.kind === 'Waiting') return recovery;
  if (recovery.proof.kind === 'Guard' && !isGuarded(vm))
    return { kind: 'Waiting', why: `the guard of ${hypervisor} had not been told of this guest.` };
  return { kind: 'Proven', proof: recovery.proof };
}
