import { expect } from 'chai';
import type { DomainReport, DomainReportStatus } from '#crds/v1alpha1/domain-report.ts';
import { limits } from '#crds/v1alpha1/limits.ts';
import { domainOf } from '#test/builders/domain.ts';
import { domainReport } from '#test/builders/domain-report.ts';
import { uuidFor } from '#test/builders/uuid.ts';
import { placedMachine } from '#test/builders/virtual-machine.ts';
import type { Domain } from '../hypervisor/driver.ts';
import { contentOf, type Unowned } from './content.ts';
import { planReports, type ReportAction } from './plan.ts';

const BOOT = uuidFor('boot of hv1');
const guest = domainOf(placedMachine());
const orphan: Unowned = { domain: guest, reason: 'Orphaned' };

function planned(unowned: readonly Unowned[], ...reports: DomainReport[]): ReportAction[] {
  const known = new Map(reports.map((report) => [report.metadata.name, report]));
  return planReports({ nodeName: 'hv1', bootID: BOOT, unowned, reports: known });
}

function stranger(name: string): Unowned {
  const { metadata: _none, ...domain }: Domain = { ...guest, name, uuid: uuidFor(name) };
  return { domain, reason: 'Foreign' };
}

function told(status: DomainReportStatus = contentOf(orphan, BOOT)): DomainReport {
  return domainReport('hv1', guest.uuid, status);
}

describe('the reports of guests that nobody declares', () => {
  it('say what the guest is, and all that it bears', () => {
    const { payload, signature } = guest.metadata ?? {};
    expect(planned([orphan])).to.deep.equal([
      {
        kind: 'Create',
        uuid: guest.uuid,
        status: {
          domain: { name: 'team.web', reason: 'Orphaned', powerState: 'Running', cpus: 1, memory: '1Gi', bootID: BOOT },
          marks: { uid: guest.uuid, namespace: 'team', name: 'web', epoch: 1, payload, signature },
        },
      },
    ]);
  });

  it('hold what was granted last, not what the guest was built from', () => {
    const latest = { payload: 'newer', signature: 'c2lnbmVk' };
    const domain = domainOf(placedMachine(), { metadata: { latest } });
    expect(contentOf({ domain, reason: 'Orphaned' }, BOOT).marks).to.include(latest);
  });

  it('are left as they are where nothing changed, whatever the operator has said since', () => {
    const verdict = { outcome: 'Waiting', reason: 'OnHold', message: '', time: '2026-01-01T00:00:00Z' } as const;
    expect(planned([orphan], told({ ...contentOf(orphan, BOOT), verdict }))).to.deep.equal([]);
  });

  it('follow the guest', () => {
    const off = { ...orphan, domain: { ...guest, powerState: 'ShutOff' } as const };
    expect(planned([off], told())).to.deep.include.members([
      { kind: 'Tell', report: told(), status: contentOf(off, BOOT) },
    ]);
  });

  it('are over when the guest is declared or gone, and said so once', () => {
    expect(planned([], told())).to.deep.equal([{ kind: 'Tell', report: told(), status: { over: true } }]);
    expect(planned([], told({ over: true }))).to.deep.equal([]);
  });

  it('are not over any more when nobody declares it again', () => {
    const over = told({ ...contentOf(orphan, BOOT), over: true });
    expect(planned([orphan], over)).to.have.nested.property('[0].status.over', null);
  });

  it('lack marks that are larger than any of ours', () => {
    const marksWith = (metadata: object) =>
      contentOf({ domain: domainOf(placedMachine(), { metadata }), reason: 'Orphaned' }, BOOT).marks;
    expect(marksWith({ payload: 'p'.repeat(limits.payload + 1) })).to.equal(undefined);
    expect(marksWith({ signature: 's'.repeat(89) })).to.equal(undefined);
    expect(marksWith({ name: 'n'.repeat(254) })).to.equal(undefined);
  });

  it('are no more than the API takes, and leave out strangers first', () => {
    const strangers = Array.from({ length: limits.domainReports }, (_, n) => stranger(`s${n}`));
    const actions = planned([...strangers, orphan]);
    expect(actions).to.have.length(limits.domainReports);
    expect(actions[0]).to.include({ uuid: guest.uuid });
  });
});
