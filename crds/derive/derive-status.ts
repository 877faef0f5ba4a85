// The last step of every status write: the fields that follow from the others.
import { removeCondition, setCondition } from '#crds/conditions.ts';
import type { Condition } from '#crds/v1alpha1/fragments.ts';
import { limits } from '#crds/v1alpha1/limits.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { Phase, Transition, VirtualMachineStatus } from '#crds/v1alpha1/virtual-machine-status.ts';
import { verdictOf } from './verdict.ts';
import type { Verdict } from './verdict-facts.ts';

/**
 * Completes a status that is about to be written: phase, Ready, Reconciling, Stalled, and one entry in `transitions`
 * when the phase changed. Every writer of the status writes these, and always through here. Reconciling and Stalled are
 * present only while true, as kstatus expects. Pure; `time` is RFC 3339.
 */
export function deriveStatus(vm: VirtualMachine, next: VirtualMachineStatus, time: string): VirtualMachineStatus {
  const verdict = verdictOf(vm, next);
  const previous = vm.status?.phase;
  return {
    ...next,
    phase: verdict.phase,
    conditions: [...derived(next.conditions, verdict, vm.metadata.generation ?? 0, time)],
    ...(verdict.phase === previous ? {} : { transitions: appended(next.transitions, verdict, time) }),
  };
}

function derived(conditions: readonly Condition[] | undefined, verdict: Verdict, generation: number, time: string) {
  const { reason, message } = verdict;
  const told = { reason, message, observedGeneration: generation };
  const withReady = setCondition(
    conditions,
    { type: 'Ready', status: verdict.ready ? 'True' : 'False', ...told },
    time,
  );
  return (['Reconciling', 'Stalled'] as const).reduce<readonly Condition[]>(
    (all, type) =>
      verdict.progress === type
        ? setCondition(all, { type, status: 'True', ...told }, time)
        : removeCondition(all, type),
    withReady,
  );
}

function appended(transitions: readonly Transition[] | undefined, verdict: Verdict, time: string): Transition[] {
  const all = transitions ?? [];
  const seq = (all.at(-1)?.seq ?? 0) + 1;
  const type: Phase = verdict.phase;
  return [...all, { seq, type, time, cause: verdict.message.slice(0, limits.sentence) }].slice(-limits.transitions);
}
