// A daemon reports of its own guests only, and what is made of that is the operator's word.

import type { ApiAccess } from '#hack/control-plane/api-request.ts';
import { domainReports, get, mergePatch, post, refused, remove } from './requests.ts';
import { givingDaemonsAllRights, type Site } from './site.ts';

const UUID = '7f8e6a50-0000-4000-8000-000000000001';
const DOMAIN = { name: 'team.web', reason: 'Orphaned', powerState: 'Running', cpus: 1, memory: '1Gi', bootID: 'b' };
const VERDICT = { outcome: 'Taken', reason: 'Recreated', message: 'Written anew.', time: '2026-01-01T00:00:00Z' };

function report(nodeName: string, uuid = UUID) {
  return {
    apiVersion: 'usher.dev/v1alpha1',
    kind: 'DomainReport',
    metadata: { name: `${nodeName}.${uuid}` },
    spec: { nodeName, uuid },
  };
}

export function describeDomainReports(site: () => Site): void {
  const path = `${domainReports}/n1.${UUID}`;
  const create = (access: ApiAccess, body: object) => post(access, `${domainReports}?dryRun=All`, body);
  const tell = (access: ApiAccess, status: object) => mergePatch(access, `${path}/status?dryRun=All`, { status });

  describe('a DomainReport', () => {
    before(async () => {
      await post(site().daemon1, domainReports, report('n1'));
      await mergePatch(site().daemon1, `${path}/status`, { status: { domain: DOMAIN } });
    });

    it('is made by the daemon of its node alone, under its name', async () => {
      const { daemon2, unboundDaemon, operator, alice, carol, master } = site();
      await create(daemon2, report('n2'));
      await refused(create(daemon2, report('n1', UUID.replace('1', '2'))), /the node daemon of n2 .* 'n1'/);
      await refused(create(unboundDaemon, report('n1')), /names no node/);
      for (const access of [operator, alice]) await refused(create(access, report('n2')), /cannot create/);
      await refused(create(carol, report('n2')), /not by 'carol'/);
      await create(master, report('n2'));
    });

    it('is told by the daemon of its node alone', async () => {
      const { daemon1, daemon2, unboundDaemon, operator, alice, carol } = site();
      await tell(daemon1, { domain: { ...DOMAIN, powerState: 'ShutOff' }, over: true });
      await refused(tell(daemon2, { over: true }), /the node daemon of n2 may only report on its own guests/);
      await refused(tell(unboundDaemon, { over: true }), /names no node/);
      await refused(tell(operator, { over: true }), /status\.over: not to be changed by the operator/);
      await refused(tell(operator, { domain: null }), /status\.domain: not to be changed by the operator/);
      await refused(tell(alice, { over: true }), /cannot patch/);
      await refused(tell(carol, { over: true }), /not by 'carol'/);
    });

    it('is judged by the operator alone', async () => {
      const { daemon1, operator } = site();
      await tell(operator, { verdict: VERDICT });
      await refused(tell(daemon1, { verdict: VERDICT }), /status\.verdict: not to be changed by a node daemon/);
    });

    it('is read by people, and removed by the operator alone', async () => {
      const { victor, alice, daemon1, operator } = site();
      await get(victor, path);
      for (const access of [alice, daemon1]) await refused(remove(access, `${path}?dryRun=All`), /cannot delete/);
      await remove(operator, `${path}?dryRun=All`);
    });

    describe('of a daemon that was given more rights than it should have', () => {
      givingDaemonsAllRights(site);

      it('is made and told of no other node all the same', async () => {
        const { daemon2 } = site();
        await refused(mergePatch(daemon2, `${path}?dryRun=All`, { metadata: { labels: { a: 'b' } } }), /own guests/);
        await refused(tell(daemon2, { over: true }), /own guests/);
      });
    });
  });
}
