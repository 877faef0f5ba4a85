import { expect } from 'chai';
import type { DomainReport } from '#crds/v1alpha1/domain-report.ts';
import { domainReportResource } from '#crds/v1alpha1/kinds.ts';
import { VirtualClock } from '#runtime/clock/virtual.ts';
import { KubeError } from '#runtime/kube/errors.ts';
import { MemoryApiServer } from '#runtime/kube/memory/server.ts';
import { domainOf } from '#test/builders/domain.ts';
import { hypervisor } from '#test/builders/hypervisor.ts';
import { uuidFor } from '#test/builders/uuid.ts';
import { placedMachine } from '#test/builders/virtual-machine.ts';
import type { Unowned } from './content.ts';
import { DomainReporter } from './reporter.ts';

const orphan: Unowned = { domain: domainOf(placedMachine()), reason: 'Orphaned' };
const { signal } = new AbortController();

function stage() {
  const api = new MemoryApiServer({ clock: new VirtualClock(), random: () => 0.5 });
  api.serve({ type: domainReportResource, statusSubresource: true });
  const store = api.asUser('hv1');
  const reporterAnew = () =>
    new DomainReporter({ store, nodeName: 'hv1', bootID: uuidFor('boot'), hypervisor: () => hypervisor() });
  const reports = async (): Promise<DomainReport[]> => (await store.list(domainReportResource)).items;
  return { api, store, reporterAnew, reports };
}

describe('a reporter of guests that nobody declares', () => {
  it('makes a report that goes with its Hypervisor, and writes nothing more while nothing changes', async () => {
    const { api, reporterAnew, reports } = stage();
    const reporter = reporterAnew();
    await reporter.publish([orphan], signal);
    const [report] = await reports();
    expect(report?.metadata.name).to.equal(`hv1.${orphan.domain.uuid}`);
    expect(report?.metadata.ownerReferences?.[0]).to.include({ kind: 'Hypervisor', uid: hypervisor().metadata.uid });
    expect(report?.status?.domain).to.include({ name: 'team.web', reason: 'Orphaned' });
    const before = api.writes.length;
    await reporter.publish([orphan], signal);
    await reporterAnew().publish([orphan], signal);
    expect(api.writes).to.have.length(before);
  });

  it('says that it is over, once', async () => {
    const { api, reporterAnew, reports } = stage();
    const reporter = reporterAnew();
    await reporter.publish([orphan], signal);
    await reporter.publish([], signal);
    expect((await reports())[0]?.status?.over).to.equal(true);
    const before = api.writes.length;
    await reporter.publish([], signal);
    await reporterAnew().publish([], signal);
    expect(api.writes).to.have.length(before);
  });

  it('is content where the operator has removed what was over', async () => {
    const { store, reporterAnew, reports } = stage();
    const reporter = reporterAnew();
    await reporter.publish([orphan], signal);
    const [report] = await reports();
    await store.delete(domainReportResource, { name: report?.metadata.name ?? '' });
    await reporter.publish([], signal);
    expect(await reports()).to.deep.equal([]);
    await reporter.publish([orphan], signal);
    expect(await reports()).to.have.length(1);
  });

  it('goes on after a death between the report and what it says', async () => {
    const { api, reporterAnew, reports } = stage();
    api.faults.add({
      match: ({ verb }) => verb === 'mergePatch',
      refuse: new KubeError('Unreachable', 'the connection broke'),
      times: 1,
    });
    const failure = await reporterAnew()
      .publish([orphan], signal)
      .catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(KubeError);
    expect((await reports())[0]?.status).to.equal(undefined);
    await reporterAnew().publish([orphan], signal);
    expect((await reports())[0]?.status?.domain?.name).to.equal('team.web');
  });
});
