// What the guard of a machine promises in the heartbeat Lease. The daemon writes it, the operator believes it: both use
// these, so that they cannot disagree. protocol: lost, and proof of death.

/**
 * Armed when the Lease was renewed: unless it is renewed again within `deadlineSeconds`, counted by the machine from
 * before this renewal was sent, the guard begins to stop every guest that is told to be guarded, and has done so within
 * `killSeconds`.
 */
export interface GuardPromise {
  readonly deadlineSeconds: number;
  readonly killSeconds: number;
}

const FORM = /^stops after ([1-9][0-9]{0,4}) s within ([1-9][0-9]{0,2}) s$/;

/** As it stands in the annotation. */
export function guardPromiseText({ deadlineSeconds, killSeconds }: GuardPromise): string {
  return `stops after ${deadlineSeconds} s within ${killSeconds} s`;
}

/** Undefined where there is none, or where it cannot be read: then nothing is proven by it. */
export function guardPromise(annotation: string | undefined): GuardPromise | undefined {
  const [, deadline, kill] = FORM.exec(annotation ?? '') ?? [];
  if (deadline === undefined || kill === undefined) return undefined;
  return { deadlineSeconds: Number(deadline), killSeconds: Number(kill) };
}

/** Clocks of different machines do not run at the same pace; one part in twenty is far more than they differ. */
const PACE = 1.05;
const MARGIN_MS = 5_000;

/** Milliseconds without a renewal, as somebody else counts them, after which every guarded guest is dead. */
export function provenAfterMs({ deadlineSeconds, killSeconds }: GuardPromise): number {
  return Math.ceil((deadlineSeconds + killSeconds) * 1000 * PACE) + MARGIN_MS;
}
