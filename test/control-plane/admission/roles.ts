// The roles of rights/rbac: nothing more than what each needs.

import { expect } from 'chai';
import type { ApiAccess } from '#hack/control-plane/api-request.ts';
import { eventually, get, post } from './requests.ts';
import type { Site } from './site.ts';

const AUTHORIZATION = '/apis/rbac.authorization.k8s.io/v1';

interface Rule {
  apiGroups: string[];
  resources: string[];
  verbs: string[];
  resourceNames?: string[];
}

export function describeRoles(site: () => Site): void {
  const rulesOf = async (role: string): Promise<Rule[]> => {
    const { master } = site();
    const cluster = await get<{ rules: Rule[] }>(master, `${AUTHORIZATION}/clusterroles/${role}`);
    const own = await get<{ rules: Rule[] }>(master, `${AUTHORIZATION}/namespaces/usher-system/roles/${role}`);
    return [...cluster.rules, ...own.rules];
  };
  const rightsOf = async (role: string): Promise<string[]> =>
    (await rulesOf(role)).flatMap(({ resources, verbs }) =>
      resources.flatMap((resource) => verbs.map((verb) => `${verb} ${resource}`)),
    );

  describe('the roles', () => {
    const deletes = {
      'usher-operator': ['delete virtualmachines', 'delete virtualmachineoperations', 'delete domainreports'],
      'usher-node-daemon': [],
    };
    for (const [role, most] of Object.entries(deletes)) {
      it(`of ${role} have no wildcard, and delete no more than operations and reports ask for`, async () => {
        const rules = await rulesOf(role);
        const words = rules.flatMap(({ apiGroups, resources, verbs }) => [...apiGroups, ...resources, ...verbs]);
        expect(words.filter((word) => word.includes('*'))).to.deep.equal([]);
        expect((await rightsOf(role)).filter((right) => right.startsWith('delete'))).to.have.members(most);
        expect(words).to.not.include.members(['escalate']).and.not.include.members(['bind']);
      });
    }

    it('of a node daemon reach neither nodes nor pods nor secrets', async () => {
      const resources = new Set((await rulesOf('usher-node-daemon')).flatMap((rule) => rule.resources));
      expect([...resources]).to.have.members([
        'virtualmachines',
        'virtualmachines/status',
        'hypervisors',
        'hypervisors/status',
        'domainreports',
        'domainreports/status',
        'leases',
        'events',
        'namespaces',
      ]);
      const rights = await rightsOf('usher-node-daemon');
      expect(rights).to.not.include('update virtualmachines').and.not.include('delete domainreports');
    });

    it('of the operator read one secret', async () => {
      const { operator } = site();
      const secret = { resource: 'secrets', namespace: 'usher-system' };
      expect(await allowed(operator, { ...secret, verb: 'get', name: 'usher-signing-key' })).to.equal(true);
      expect(await allowed(operator, { ...secret, verb: 'create' })).to.equal(true);
      expect(await allowed(operator, { ...secret, verb: 'get', name: 'other' })).to.equal(false);
      expect(await allowed(operator, { ...secret, verb: 'list' })).to.equal(false);
      expect(await allowed(operator, { ...secret, verb: 'update', name: 'usher-signing-key' })).to.equal(false);
    });

    it("of people are part of Kubernetes' own: view reads, edit writes, admin keeps the hypervisors", async () => {
      const { victor, alice, adele } = site();
      const may = async (access: ApiAccess, verb: string, resource: string) =>
        allowed(access, {
          verb,
          resource,
          group: 'usher.dev',
          ...(resource === 'hypervisors' ? {} : { namespace: 'default' }),
        });
      await eventually(async () => expect(await may(alice, 'create', 'virtualmachines')).to.equal(true));
      const rights = async (access: ApiAccess) => [
        await may(access, 'list', 'virtualmachines'),
        await may(access, 'create', 'virtualmachines'),
        await may(access, 'list', 'hypervisors'),
        await may(access, 'update', 'hypervisors'),
        await may(access, 'adopt', 'hypervisors'),
        await may(access, 'release', 'virtualmachines'),
      ];
      expect(await rights(victor)).to.deep.equal([true, false, true, false, false, false]);
      expect(await rights(alice)).to.deep.equal([true, true, true, false, false, true]);
      expect(await rights(adele)).to.deep.equal([true, true, true, true, true, true]);
    });
  });
}

interface Ask {
  verb: string;
  resource: string;
  group?: string;
  namespace?: string;
  name?: string;
}

async function allowed(access: ApiAccess, resourceAttributes: Ask): Promise<boolean> {
  const review = { spec: { resourceAttributes } };
  const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
  return (await post<{ status: { allowed: boolean } }>(access, path, review)).status.allowed;
}
