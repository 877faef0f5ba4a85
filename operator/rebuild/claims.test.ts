import { expect } from 'chai';
import { signedPayload } from '#crds/derive/signed-payload.ts';
import type { DomainReportStatus, Marks } from '#crds/v1alpha1/domain-report.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import { domainReport } from '#test/builders/domain-report.ts';
import { uuidFor } from '#test/builders/uuid.ts';
import { grantedFor, newMachine, placementOn } from '#test/builders/virtual-machine.ts';
import { best, type Claim, judge } from './claims.ts';

const vm = newMachine();
const { uid } = vm.metadata;

interface Borne {
  readonly epoch?: number;
  readonly node?: string;
  readonly signedFor?: string;
  readonly uuid?: string;
  readonly marks?: Partial<Marks>;
  readonly status?: Partial<DomainReportStatus>;
  readonly powerState?: 'Running' | 'ShutOff';
  readonly of?: VirtualMachine;
}

/** What hv1 reports of a guest that runs there. */
function reported({ epoch = 1, node = 'hv1', signedFor = node, uuid = uid, ...rest }: Borne = {}) {
  const { marks, status, powerState = 'Running', of = vm } = rest;
  const payload = signedPayload(of, grantedFor(of), placementOn(signedFor, { epoch }));
  return domainReport(node, uuid, {
    domain: { name: 'team.web', reason: 'Orphaned', powerState, cpus: 1, memory: '1Gi', bootID: uuidFor('boot') },
    marks: { uid, namespace: 'team', name: 'web', epoch, payload, signature: 'signed', ...marks },
    ...status,
  });
}

function judged(borne: Borne): string {
  const judgement = judge(reported(borne), (_payload, signature) => signature === 'signed');
  if (judgement.kind === 'Claim') return `claims epoch ${judgement.claim.epoch}`;
  return judgement.kind === 'Refused' ? judgement.reason : 'nothing';
}

describe('a report of a guest that nobody declares', () => {
  const table: [string, Borne, string][] = [
    ['is a claim where the operator has signed it', {}, 'claims epoch 1'],
    ['is none where it has not', { marks: { signature: 'forged' } }, 'SignatureInvalid'],
    ['is none where it bears nothing', { status: { marks: undefined as never } }, 'NoMarks'],
    [
      'is none where what was signed is no VirtualMachine',
      { marks: { payload: '{"version":2}' } },
      'PayloadUnreadable',
    ],
    ['is none where what was signed is no JSON', { marks: { payload: 'hello' } }, 'PayloadUnreadable'],
    ['is none of a node that it was not signed for', { node: 'hv2', signedFor: 'hv1' }, 'OfAnotherNode'],
    ['is none of a copy', { uuid: uuidFor('copy') }, 'OfAnotherGuest'],
    ['is none once it is over', { status: { over: true } }, 'nothing'],
    ['claims the permission that the guest was given since', { marks: { epoch: 3 } }, 'claims epoch 3'],
    ['claims no number that a node has made up', { marks: { epoch: 9_000_000 } }, 'claims epoch 1001'],
    [
      'claims what was signed where the guest bears the permission before',
      { epoch: 4, marks: { epoch: 3 } },
      'claims epoch 4',
    ],
  ];
  for (const [title, borne, expected] of table) {
    it(title, () => expect(judged(borne)).to.equal(expected));
  }

  it('is nothing where it is of a stranger, or says nothing yet', () => {
    const verify = () => true;
    expect(judge(domainReport('hv1', uid), verify).kind).to.equal('Nothing');
    const domain = { ...reported().status?.domain, reason: 'Foreign' } as NonNullable<DomainReportStatus['domain']>;
    expect(judge(reported({ status: { domain } }), verify).kind).to.equal('Nothing');
  });
});

describe('of several claims to one guest', () => {
  const claim = (borne: Borne): Claim => {
    const judgement = judge(reported(borne), () => true);
    if (judgement.kind !== 'Claim') throw new Error(`no claim: ${judgement.kind}`);
    return judgement.claim;
  };
  const winner = (...claims: Claim[]) => best(claims)?.report.spec.nodeName;

  it('the highest epoch that was signed is true, be it off', () => {
    const [old, recent] = [claim({ node: 'hv1' }), claim({ node: 'hv2', epoch: 2, powerState: 'ShutOff' })];
    expect([winner(old, recent), winner(recent, old)]).to.deep.equal(['hv2', 'hv2']);
  });

  it('no number that a node makes up makes it true', () => {
    expect(winner(claim({ node: 'hv1', marks: { epoch: 50 } }), claim({ node: 'hv2', epoch: 2 }))).to.equal('hv2');
  });

  it('of one epoch that is true which runs', () => {
    expect(winner(claim({ node: 'hv1', powerState: 'ShutOff' }), claim({ node: 'hv2' }))).to.equal('hv2');
  });

  it('there is none where there are none', () => {
    expect(best([])).to.equal(undefined);
  });
});
