// A daemon speaks for its own machine; whether the machine is used is the word of operator and administrators.

import { type ApiAccess } from '#hack/control-plane/api-request.ts';
import { condition, get, hypervisor, hypervisors, mergePatch, post, refused } from './requests.ts';
import { givingDaemonsAllRights, type Site } from './site.ts';

export function describeHypervisors(site: () => Site): void {
  const path = `${hypervisors}/n1`;
  const conditions = [condition('Accepted'), condition('Schedulable'), condition('Ready')];
  const create = (access: ApiAccess, body: object) => post(access, `${hypervisors}?dryRun=All`, body);
  const report = (access: ApiAccess, status: object) => mergePatch(access, `${path}/status?dryRun=All`, { status });
  const cordon = (access: ApiAccess) => mergePatch(access, `${path}?dryRun=All`, { spec: { unschedulable: true } });
  /** With some of the conditions changed, added or, where undefined, left out. */
  const setConditions = (access: ApiAccess, changes: Record<string, object | undefined>) => {
    const kept = conditions.filter(({ type }) => !(type in changes));
    const changed = Object.entries(changes).flatMap(([type, change]) => (change ? [condition(type, change)] : []));
    return report(access, { conditions: [...kept, ...changed] });
  };

  describe('a Hypervisor', () => {
    before(async () => {
      await post(site().daemon1, hypervisors, hypervisor('n1'));
      await mergePatch(site().master, `${path}/status`, { status: { agentVersion: '1', conditions } });
    });

    it('is created by the daemon of its node', async () => {
      const { daemon2, unboundDaemon, adele } = site();
      await create(daemon2, hypervisor('n2'));
      await refused(create(daemon2, hypervisor('n3')), /metadata\.name: the node daemon of n2 .* 'n3'/);
      await refused(create(daemon2, hypervisor('n2', 'n3')), /spec\.nodeName: the node daemon of n2 .* 'n3'/);
      await refused(create(unboundDaemon, hypervisor('n2')), /names no node/);
      await create(adele, hypervisor('n3'));
    });

    it('does not accept itself, however its daemon asks: administrators do', async () => {
      const { daemon1, daemon2, adele, alice } = site();
      const { spec, ...rest } = hypervisor('n2');
      const accepting = { ...rest, spec: { ...spec, accepted: true } };
      await refused(create(daemon2, accepting), /spec\.accepted: .* not for a node daemon to say: leave it out/);
      await create(adele, accepting);
      const accept = (access: ApiAccess) => mergePatch(access, `${path}?dryRun=All`, { spec: { accepted: true } });
      for (const access of [daemon1, alice]) await refused(accept(access), /cannot patch/);
      await accept(adele);
    });

    it('is seen by everybody and changed by administrators', async () => {
      const { victor, alice, adele, operator, daemon1 } = site();
      for (const access of [victor, alice, adele, operator, daemon1]) await get(access, path);
      for (const access of [victor, alice, operator, daemon1]) await refused(cordon(access), /cannot patch/);
      await cordon(adele);
    });

    it('is reported on by its own daemon', async () => {
      const { daemon1, daemon2, unboundDaemon, operator, alice, carol, master } = site();
      const status = { agentVersion: '2' };
      await report(daemon1, status);
      await refused(report(daemon2, status), /metadata\.name: the node daemon of n2 .* 'n1'/);
      await refused(report(unboundDaemon, status), /names no node/);
      await refused(report(operator, status), /status\.agentVersion: .* hypervisor's daemon alone/);
      await refused(report(operator, { agentVersion: null }), /status\.agentVersion/);
      await refused(report(alice, status), /cannot patch/);
      await refused(report(carol, status), /status is written by the operator and the node daemons, not by 'carol'/);
      await report(master, status);
    });

    it('is accepted and made schedulable by the operator alone', async () => {
      const { daemon1, operator } = site();
      const no = { status: 'False' };
      await setConditions(operator, { Accepted: no, Schedulable: no });
      await refused(setConditions(daemon1, { Accepted: no }), /conditions\[Accepted\]: .* only by the operator/);
      await refused(setConditions(daemon1, { Schedulable: undefined }), /conditions\[Schedulable\]/);
    });

    it('is called ready by its daemon, and unknown by the operator when that is silent', async () => {
      const { daemon1, operator } = site();
      await setConditions(daemon1, { Ready: { status: 'False' }, DriverConnected: {} });
      await setConditions(operator, { Ready: { status: 'Unknown' } });
      await refused(setConditions(operator, { DriverConnected: {} }), /conditions\[DriverConnected\]: .* daemon/);
    });

    describe('of a daemon that was given more rights than it should have', () => {
      givingDaemonsAllRights(site);

      it('keeps its spec all the same', async () => {
        await refused(cordon(site().daemon1), / spec: a node daemon creates its Hypervisor and leaves it/);
        await refused(cordon(site().daemon2), /metadata\.name: the node daemon of n2/);
        await mergePatch(site().daemon1, `${path}?dryRun=All`, { metadata: { labels: { rack: 'a' } } });
      });
    });
  });
}
