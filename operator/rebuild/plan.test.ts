import { expect } from 'chai';
import { INSTANCE_UUID_ANNOTATION } from '#crds/v1alpha1/names.ts';
import { claimOn } from '#test/builders/claim.ts';
import { movingMachine } from '#test/builders/migration.ts';
import { timeAfter } from '#test/builders/time.ts';
import { uuidFor } from '#test/builders/uuid.ts';
import { newMachine, placedMachine, runningMachine } from '#test/builders/virtual-machine.ts';
import { isUnsettled, planReport, type ReportSnapshot } from './plan.ts';

const vm = newMachine();
const claim = claimOn('hv1', vm);
const stranger = newMachine({ metadata: { uid: uuidFor('another') } });
const bound = { [INSTANCE_UUID_ANNOTATION]: vm.metadata.uid };

function snapshot(changes: Partial<ReportSnapshot> = {}): ReportSnapshot {
  const judgement = { kind: 'Claim', claim } as const;
  const nobody = { owner: undefined, namesake: undefined, phase: undefined };
  return { report: claim.report, judgement, best: claim, ...nobody, ...changes };
}

function planned(changes: Partial<ReportSnapshot>): string {
  const plan = planReport(snapshot(changes));
  return plan.kind === 'Tell' ? `${plan.word.outcome} ${plan.word.reason}` : plan.kind;
}

describe('what becomes of a report', () => {
  const over = { ...claim.report, status: { ...claim.report.status, over: true } };
  const verdict = { outcome: 'Refused', reason: 'NotAccepted', message: 'no', time: timeAfter(0) } as const;
  const refusedBefore = { ...claim, report: { ...claim.report, status: { ...claim.report.status, verdict } } };
  const table: [string, Partial<ReportSnapshot>, string][] = [
    ['it is removed once it is over', { report: over, judgement: { kind: 'Nothing' } }, 'Delete'],
    ['nothing, while it says nothing', { judgement: { kind: 'Nothing' } }, 'Nothing'],
    [
      'it is refused, and nothing more, where it cannot be believed',
      { judgement: { kind: 'Refused', reason: 'SignatureInvalid', message: '' }, phase: 'Recreating' },
      'Refused SignatureInvalid',
    ],
    ['it waits while others have not reported', { phase: 'Waiting' }, 'Waiting OnHold'],
    ['its VM is written anew once they have', { phase: 'Recreating' }, 'Create'],
    ['the guest is left alone where no control plane was lost', {}, 'LeftAlone NotDeclared'],
    ['the guest is left alone when the hold is over', { phase: 'Over' }, 'LeftAlone NotDeclared'],
    ['another claim is true', { best: claimOn('hv2', vm, { epoch: 2 }), phase: 'Recreating' }, 'Superseded Superseded'],
    ['nobody can tell where it runs', { best: undefined, phase: 'Recreating' }, 'Refused MayRunElsewhere'],
    [
      'it is on its way there: the migration decides, and not a report',
      {
        owner: movingMachine(),
        best: claimOn('hv2', vm, { epoch: 2 }),
        judgement: { kind: 'Claim', claim: claimOn('hv2', vm, { epoch: 2 }) },
        report: claimOn('hv2', vm, { epoch: 2 }).report,
        phase: 'Recreating',
      },
      'LeftAlone Moving',
    ],
    ['its VM takes it', { owner: vm, phase: 'Recreating' }, 'Waiting BeingTaken'],
    ['its VM has taken it', { owner: placedMachine(), phase: 'Recreating' }, 'Taken Taken'],
    [
      'its VM is older and takes it',
      {
        owner: placedMachine(),
        best: claimOn('hv1', vm, { epoch: 2 }),
        judgement: { kind: 'Claim', claim: claimOn('hv1', vm, { epoch: 2 }) },
      },
      'Waiting BeingTaken',
    ],
    [
      'its VM has moved on',
      { owner: placedMachine({ placement: { hypervisor: 'hv2', epoch: 2 } }) },
      'Superseded Superseded',
    ],
    [
      'it is left alone where its VM is being deleted',
      { owner: newMachine({ metadata: { deletionTimestamp: timeAfter(0) } }) },
      'LeftAlone NotDeclared',
    ],
    ['a VM of its name that never ran takes it', { namesake: stranger, phase: 'Recreating' }, 'Waiting BeingTaken'],
    [
      'a VM of its name whose permission was given back takes it',
      { namesake: placedMachine({ metadata: stranger.metadata, instance: 'Refused' }), phase: 'Recreating' },
      'Waiting BeingTaken',
    ],
    [
      'a VM of its name that has had a guest does not',
      { namesake: runningMachine({ metadata: stranger.metadata }), phase: 'Recreating' },
      'Refused NameTaken',
    ],
    ['a VM of its name does not where no control plane was lost', { namesake: stranger }, 'Refused NameTaken'],
    [
      'it stays refused where the API server has not taken its VM',
      { report: refusedBefore.report, judgement: { kind: 'Claim', claim: refusedBefore }, phase: 'Recreating' },
      'Refused NotAccepted',
    ],
  ];
  for (const [title, changes, expected] of table) {
    it(title, () => expect(planned(changes)).to.equal(expected));
  }

  it('holds up the site for as long as something is to be done', () => {
    expect(isUnsettled(snapshot({ phase: 'Recreating' }))).to.equal(true);
    expect(isUnsettled(snapshot({ owner: vm, phase: 'Recreating' }))).to.equal(true);
    expect(isUnsettled(snapshot({ owner: placedMachine({ metadata: { annotations: bound } }) }))).to.equal(false);
    expect(isUnsettled(snapshot({ namesake: runningMachine({ metadata: stranger.metadata }) }))).to.equal(false);
  });
});
