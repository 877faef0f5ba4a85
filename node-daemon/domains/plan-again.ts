// Steps that failed and are tried again, with growing pauses. While a pause lasts, why is told instead.
import { RESUME_FAILED } from '#crds/derive/declared-pause.ts';
import { RELEASE_FAILED, REMOVE_FAILED } from '#crds/derive/verdict.ts';
import { GUARANTEES_NOT_KEPT } from '#crds/derive/verdict-facts.ts';
import type { Plan, Report } from './actions.ts';
import { ADOPTION_PENDING } from './adoption.ts';
import type { FailedStep } from './memory.ts';
import { retryPause } from './pauses.ts';
import type { Snapshot } from './snapshot.ts';

type Kind = FailedStep['kind'];

/** How long this step is not tried again, having just failed; 0 where it may be. */
export function pauseAfterFailed({ memory, now }: Snapshot, kind: Kind): number {
  const { failedStep } = memory;
  if (failedStep?.kind !== kind) return 0;
  return Math.max(0, retryPause(failedStep.times) - (now - failedStep.failedAt));
}

/** `report`, what is seen meanwhile, with why it failed; undefined where the step may be tried. Pure. */
export function planAgain(snapshot: Snapshot, kind: Kind, report: Report): Plan | undefined {
  const again = pauseAfterFailed(snapshot, kind);
  if (again === 0) return undefined;
  const { code, what } = words[kind];
  const why = `${snapshot.self.name} could not ${what}: ${snapshot.memory.failedStep?.why ?? ''}.`;
  const fault = { code, reason: `${why} It is tried again, with growing pauses.` };
  return { kind: 'Report', report: { ...report, fault }, again };
}

const words: Readonly<Record<Kind, { code: string; what: string }>> = {
  Undefine: { code: REMOVE_FAILED, what: 'remove the guest, which is off' },
  Release: { code: RELEASE_FAILED, what: 'let go of the guest' },
  Adopt: { code: ADOPTION_PENDING, what: 'note with the guest whose it is' },
  Hibernate: { code: 'HibernateFailed', what: 'write the memory of the guest to its disk' },
  DiscardImage: { code: 'DiscardFailed', what: 'remove what was kept of the memory of the guest' },
  Pause: { code: 'PauseFailed', what: 'pause the guest' },
  Resume: { code: RESUME_FAILED, what: 'resume the guest' },
  SetLimits: { code: GUARANTEES_NOT_KEPT, what: 'guarantee or limit CPU time as was granted' },
  Confirm: { code: 'ConfirmFailed', what: 'write the new permission to the guest' },
};
