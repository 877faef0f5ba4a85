// A daemon's heartbeat is its own: nobody can make a dead machine look alive, or a living one dead.

import {
  HEARTBEAT_LABEL,
  heartbeatLeaseName,
  LEADER_LEASE,
  RECOVERY_HOLDER,
  SYSTEM_NAMESPACE,
} from '#crds/v1alpha1/names.ts';
import type { ApiAccess } from '#hack/control-plane/api-request.ts';
import type { OwnTestCluster } from '../harness.ts';
import { get, leases, mergePatch, post, refused } from './requests.ts';
import { givingDaemonsAllRights, type Site } from './site.ts';

export function describeHeartbeats(cluster: OwnTestCluster, site: () => Site): void {
  const lease = (name: string) => ({
    metadata: { name, labels: { [HEARTBEAT_LABEL]: 'n1' } },
    spec: { holderIdentity: 'n1/9f3c4b52-5d0f-4a86-b0a5-1d7f0e6a2c11', leaseDurationSeconds: 40 },
  });
  const tryCreate = (access: ApiAccess, name: string, namespace: string = SYSTEM_NAMESPACE) =>
    post(access, `${leases(namespace)}?dryRun=All`, lease(name));
  const renew = (access: ApiAccess, name: string) =>
    mergePatch(access, `${leases(SYSTEM_NAMESPACE)}/${name}`, { spec: { renewTime: '2026-01-01T00:00:00.000000Z' } });

  describe('a heartbeat Lease', () => {
    before(async () => {
      await post(site().daemon1, leases(SYSTEM_NAMESPACE), lease(heartbeatLeaseName('n1')));
      await post(site().operator, leases(SYSTEM_NAMESPACE), lease(LEADER_LEASE));
    });

    it('is created, renewed and given up by the daemon of its node', async () => {
      await tryCreate(site().daemon2, heartbeatLeaseName('n2'));
      await renew(site().daemon1, heartbeatLeaseName('n1'));
      const path = `${leases(SYSTEM_NAMESPACE)}/${heartbeatLeaseName('n1')}`;
      await mergePatch(site().daemon1, path, { spec: { holderIdentity: null } });
    });

    it('is out of reach for every other daemon', async () => {
      const words = /hypervisor-n1' is not the heartbeat of the node daemon of n2: that is usher-system\/hypervisor-n2/;
      await refused(renew(site().daemon2, heartbeatLeaseName('n1')), words);
      await refused(tryCreate(site().daemon2, 'other'), /metadata\.name: 'usher-system\/other' is not the heartbeat/);
      await refused(renew(site().unboundDaemon, heartbeatLeaseName('n1')), /names no node/);
    });

    it('is read by the operator and never renewed: it has a Lease of its own', async () => {
      await get(site().operator, leases(SYSTEM_NAMESPACE));
      await renew(site().operator, LEADER_LEASE);
      const words = /the operator may take the heartbeat 'hypervisor-n1' as usher-operator\/recovery and give it back/;
      await refused(renew(site().operator, heartbeatLeaseName('n1')), words);
      await refused(tryCreate(site().operator, heartbeatLeaseName('n2')), /and nothing else/);
    });

    it('is taken by the operator for a recovery, and given back', async () => {
      const path = `${leases(SYSTEM_NAMESPACE)}/${heartbeatLeaseName('n1')}`;
      const held = async (holderIdentity: string | null) =>
        mergePatch(site().operator, path, { spec: { holderIdentity, renewTime: '2026-01-01T00:00:01.000000Z' } });
      await held(RECOVERY_HOLDER);
      await refused(held('n1/9f3c4b52-5d0f-4a86-b0a5-1d7f0e6a2c11'), /and nothing else/);
      await held(null);
    });

    describe('of a daemon that was given more rights than it should have', () => {
      givingDaemonsAllRights(site);

      it('is the only Lease that it writes all the same', async () => {
        await refused(tryCreate(site().daemon1, heartbeatLeaseName('n1'), cluster.namespace), /is not the heartbeat/);
        await refused(renew(site().daemon1, LEADER_LEASE), /usher-operator' is not the heartbeat/);
        await renew(site().daemon1, heartbeatLeaseName('n1'));
      });
    });
  });
}
