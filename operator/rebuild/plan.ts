// What becomes of one report of a guest that nobody declares. Pure.
import { epochIsOver } from '#crds/derive/epoch.ts';
import type { DomainReport, ReportVerdict } from '#crds/v1alpha1/domain-report.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { HoldPhase } from '#operator/site/hold.ts';
import type { Claim, Judgement } from './claims.ts';
import { isOfMigration, neverRan } from './owner.ts';

export type Word = Omit<ReportVerdict, 'time'>;

export type ReportPlan =
  | { readonly kind: 'Nothing' }
  /** Its daemon has no more to say. */
  | { readonly kind: 'Delete' }
  | { readonly kind: 'Tell'; readonly word: Word }
  /** Writes the VirtualMachine anew. */
  | { readonly kind: 'Create'; readonly claim: Claim };

export interface ReportSnapshot {
  readonly report: DomainReport;
  readonly judgement: Judgement;
  /** The true one of all claims to the same guest; undefined where nobody can tell. */
  readonly best: Claim | undefined;
  /** The VM whose guest it is. */
  readonly owner: VirtualMachine | undefined;
  /** The VM that has its name. */
  readonly namesake: VirtualMachine | undefined;
  readonly phase: HoldPhase | undefined;
}

/** Reason of the verdict on a VM that the API server does not take. */
export const NOT_ACCEPTED = 'NotAccepted';

export function planReport(snapshot: ReportSnapshot): ReportPlan {
  const { report, judgement } = snapshot;
  if (report.status?.over === true) return { kind: 'Delete' };
  switch (judgement.kind) {
    case 'Nothing':
      return { kind: 'Nothing' };
    case 'Refused':
      return tell('Refused', judgement.reason, judgement.message);
    case 'Claim':
      return planClaim(snapshot, judgement.claim);
  }
}

/** Whether something is still to be done before the hold can be over. */
export function isUnsettled(snapshot: ReportSnapshot): boolean {
  const plan = planReport(snapshot);
  return plan.kind === 'Create' || (plan.kind === 'Tell' && plan.word.outcome === 'Waiting');
}

function planClaim(snapshot: ReportSnapshot, claim: Claim): ReportPlan {
  const { best, owner, namesake, phase } = snapshot;
  if (best === undefined) {
    const what = 'Another hypervisor has the same guest, up, and was not given it';
    return tell(
      'Refused',
      'MayRunElsewhere',
      `${what}: see its report. Neither is taken; write the VM again yourself.`,
    );
  }
  if (best.report.metadata.name !== claim.report.metadata.name) {
    const what = best.machine.epoch > claim.machine.epoch ? 'under a higher epoch' : 'and it is the one that counts';
    return tell('Superseded', 'Superseded', `${best.report.spec.nodeName} has the same guest, ${what}.`);
  }
  if (owner !== undefined) return planOwned(claim, owner);
  if (phase === 'Waiting') return tell('Waiting', 'OnHold', 'Waiting until every hypervisor has reported.');
  if (namesake !== undefined) return planNamesake(snapshot, claim, namesake);
  if (phase !== 'Recreating') return tell('LeftAlone', 'NotDeclared', notAskedFor(claim));
  const { verdict } = claim.report.status ?? {};
  if (verdict?.reason === NOT_ACCEPTED) return tell('Refused', NOT_ACCEPTED, verdict.message);
  return { kind: 'Create', claim };
}

function notAskedFor({ machine }: Claim): string {
  const what = `Its VirtualMachine ${machine.namespace}/${machine.name} was deleted or never written again, and no control plane was lost`;
  return `${what}: the guest is left alone. Stop it on its hypervisor if nobody needs it.`;
}

function planOwned(claim: Claim, owner: VirtualMachine): ReportPlan {
  const { metadata, status } = owner;
  const vm = `${metadata.namespace}/${metadata.name}`;
  const { nodeName } = claim.report.spec;
  const { hypervisor, epoch = 0 } = status?.placement ?? {};
  if (isOfMigration(owner, claim)) return tell('LeftAlone', 'Moving', `VirtualMachine ${vm} is moving to ${nodeName}.`);
  if (hypervisor === nodeName && epoch >= claim.epoch && !epochIsOver(status))
    return tell('Taken', 'Taken', `It is the guest of VirtualMachine ${vm}.`);
  if (hypervisor !== undefined && epoch >= claim.machine.epoch && hypervisor !== nodeName)
    return tell('Superseded', 'Superseded', `VirtualMachine ${vm} is placed on ${hypervisor} under epoch ${epoch}.`);
  if (metadata.deletionTimestamp !== undefined)
    return tell('LeftAlone', 'NotDeclared', `VirtualMachine ${vm} is being deleted.`);
  return tell('Waiting', 'BeingTaken', `It is being given back to VirtualMachine ${vm}.`);
}

function planNamesake({ phase }: ReportSnapshot, { machine }: Claim, namesake: VirtualMachine): ReportPlan {
  const vm = `${machine.namespace}/${machine.name}`;
  if (phase === 'Recreating' && neverRan(namesake))
    return tell('Waiting', 'BeingTaken', `It is being given to VirtualMachine ${vm}, which was declared again.`);
  const what = `Another VirtualMachine is called ${vm}, and it has had a guest of its own`;
  return tell('Refused', 'NameTaken', `${what}: nothing is done to either. Delete that one, or stop this guest.`);
}

function tell(outcome: Word['outcome'], reason: string, message: string): ReportPlan {
  return { kind: 'Tell', word: { outcome, reason, message } };
}
