// A daemon is who its token says: the node's name in it is the API server's word.

import type { ApiAccess } from '#hack/control-plane/api-request.ts';
import type { OwnTestCluster } from '../harness.ts';
import { answered, events, hypervisor, hypervisors, leases, post, refused } from './requests.ts';
import { givingDaemonsAllRights, type Site } from './site.ts';

export function describeTokens(cluster: OwnTestCluster, site: () => Site): void {
  const say = (access: ApiAccess) =>
    post(access, events(cluster.namespace), {
      metadata: { generateName: 'web-' },
      involvedObject: { kind: 'VirtualMachine', namespace: cluster.namespace, name: 'web' },
      type: 'Warning',
      reason: 'Tested',
      message: 'As the test says.',
    });

  describe("a node daemon's token", () => {
    it('lets it write Events about anything', async () => {
      await say(site().daemon1);
      await say(site().daemon2);
      await say(site().operator);
    });

    it('is refused every write when it names no node, and told where to get one that does', async () => {
      const words = /names no node.* kubectl create token usher-node-daemon .*--bound-object-name/;
      await refused(say(site().unboundDaemon), words);
    });

    it('cannot be altered to name another node', async () => {
      await answered(post(renamed(site().daemon2), hypervisors, hypervisor('n1')), 401, /Unauthorized/);
    });

    describe('with more rights than it should have', () => {
      givingDaemonsAllRights(site);

      it('is refused what it is not refused by name when it names no node', async () => {
        const { unboundDaemon } = site();
        await refused(post(unboundDaemon, leases(cluster.namespace), { metadata: { name: 'any' } }), /names no node/);
        await refused(post(unboundDaemon, hypervisors, hypervisor('n9')), /names no node/);
      });
    });
  });
}

/** The same token with n1 in the place of n2, and the signature as it was. */
function renamed(access: ApiAccess): ApiAccess {
  const [header, payload = '', signature] = access.headers['authorization']?.split('.') ?? [];
  const claims = Buffer.from(payload, 'base64url').toString().replaceAll('"n2"', '"n1"');
  const authorization = [header, Buffer.from(claims).toString('base64url'), signature].join('.');
  return { ...access, headers: { ...access.headers, authorization } };
}
