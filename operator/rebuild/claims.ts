// What a report of a guest that nobody declares is worth. A node can make up anything but the operator's signature.
import { readPayload, type SignedMachine } from '#crds/derive/signed-payload.ts';
import type { DomainReport } from '#crds/v1alpha1/domain-report.ts';

/** A guest that a hypervisor has, with what the operator itself once signed for it. */
export interface Claim {
  readonly report: DomainReport;
  /** As it was granted last. */
  readonly machine: SignedMachine;
  /** At least the one that was signed: a guest may have been given a later one since. */
  readonly epoch: number;
  /** It has a process, or may have one. */
  readonly up: boolean;
}

export type Judgement =
  | { readonly kind: 'Claim'; readonly claim: Claim }
  | { readonly kind: 'Refused'; readonly reason: RefusalReason; readonly message: string }
  /** It is over, says nothing yet, or is about a stranger. */
  | { readonly kind: 'Nothing' };

export type RefusalReason = 'NoMarks' | 'SignatureInvalid' | 'PayloadUnreadable' | 'OfAnotherNode' | 'OfAnotherGuest';

export type Verify = (payload: string, signature: string) => boolean;

/** Pure. */
export function judge(report: DomainReport, verify: Verify): Judgement {
  const { spec, status } = report;
  if (status?.domain?.reason !== 'Orphaned' || status.over === true) return { kind: 'Nothing' };
  const { marks } = status;
  if (marks === undefined) return refused('NoMarks', 'It bears marks that are larger than any of ours.');
  if (!verify(marks.payload, marks.signature)) {
    const what = 'What it bears was not signed with the key of this site (Secret usher-system/usher-signing-key).';
    return refused('SignatureInvalid', `${what} Either that key was not restored, or ${spec.nodeName} made it up.`);
  }
  const machine = readPayload(marks.payload);
  if (machine === undefined)
    return refused('PayloadUnreadable', 'What was signed for it is of a version unknown here.');
  if (machine.hypervisor !== spec.nodeName) {
    const what = `It was signed for ${machine.hypervisor}, and ${spec.nodeName} reports it`;
    return refused('OfAnotherNode', `${what}: somebody moved or copied it there, or renamed the node.`);
  }
  if (machine.uuid !== spec.uuid) return refused('OfAnotherGuest', `It is a copy of the guest ${machine.uuid}.`);
  const epoch = Math.max(machine.epoch, Math.min(marks.epoch, machine.epoch + MOST_LATER));
  return { kind: 'Claim', claim: { report, machine, epoch, up: isUp(status.domain.powerState) } };
}

/** Confirmed without a new signature, by daemons of version 0.2. A node that says more would use up the numbers. */
const MOST_LATER = 1_000;

function refused(reason: RefusalReason, message: string): Judgement {
  return { kind: 'Refused', reason, message };
}

/** It has a process, or may have one. */
export function isUp(powerState: string): boolean {
  return powerState !== 'ShutOff' && powerState !== 'Crashed';
}

/**
 * Which of several claims to one guest is the true one: the highest epoch that was signed, for what comes after an epoch
 * was only given out when that was over; then one that runs.
 */
export function best(claims: readonly Claim[]): Claim | undefined {
  return claims.toSorted(inOrder)[0];
}

function inOrder(one: Claim, other: Claim): number {
  if (one.machine.epoch !== other.machine.epoch) return other.machine.epoch - one.machine.epoch;
  if (one.up !== other.up) return one.up ? -1 : 1;
  return one.report.spec.nodeName < other.report.spec.nodeName ? -1 : 1;
}
