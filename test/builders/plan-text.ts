// A plan in a few words, so that a table of them can be read.
import type { Plan, Step } from '#node-daemon/domains/actions.ts';

/** For example "Start", "Start paused", "Start, bearing epoch 1 until then", "tell Refused (NoRoom)", "tell Stopped after Crashed", "nothing, again in 5 s". */
export function planText(plan: Plan): string {
  switch (plan.kind) {
    case 'Verify':
      return 'verify';
    case 'Act':
      return stepText(plan.step);
    case 'Orphaned':
      return 'orphaned';
    case 'Nothing':
      return `nothing${againText(plan.again)}`;
    case 'TellMove':
      return `tell ${plan.side} ${plan.told.state}${againText(plan.again)}`;
    case 'Report': {
      const { powerState, termination, fault } = plan.report;
      const after = termination === undefined ? '' : ` after ${termination.reason}`;
      return `tell ${powerState}${after}${fault === undefined ? '' : ` (${fault.code})`}${againText(plan.again)}`;
    }
  }
}

function stepText(step: Step): string {
  if (step.kind === 'Restore') return step.paused === true ? 'Restore paused' : 'Restore';
  if (step.kind !== 'Start') return step.kind;
  const former = step.formerEpoch === undefined ? '' : `, bearing epoch ${step.formerEpoch} until then`;
  return `Start${step.paused === true ? ' paused' : ''}${former}`;
}

function againText(again: number | undefined): string {
  return again === undefined ? '' : `, again in ${again / 1000} s`;
}
