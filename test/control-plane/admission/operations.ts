// Who asked for an operation, what can be changed of it, and what the operator may write for it.

import { expect } from 'chai';
import { OPERATION_ANNOTATION, REQUESTER_ANNOTATION, REQUESTER_GROUPS_ANNOTATION } from '#crds/v1alpha1/names.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { VirtualMachineOperation } from '#crds/v1alpha1/virtual-machine-operation.ts';
import { type ApiAccess, apiRequest } from '#hack/control-plane/api-request.ts';
import type { OwnTestCluster } from '../harness.ts';
import { answered, get, mergePatch, post, refused, virtualMachine, virtualMachines } from './requests.ts';
import { kubectl, type Site } from './site.ts';

const REVIEWS = '/apis/authorization.k8s.io/v1/subjectaccessreviews';

export function describeOperations(cluster: OwnTestCluster, site: () => Site): void {
  const operations = () => `/apis/usher.dev/v1alpha1/namespaces/${cluster.namespace}/virtualmachineoperations`;
  const machines = () => virtualMachines(cluster.namespace);
  const create = (access: ApiAccess, annotations?: object) => {
    const spec = { type: 'Shutdown', targets: { set: 'web-{1-10}' } };
    const metadata = { name: 'stop', ...(annotations && { annotations }) };
    return post<VirtualMachineOperation>(access, operations(), { ...KIND, metadata, spec });
  };
  const change = (spec: object) => mergePatch(site().alice, `${operations()}/stop`, { spec });
  const declare = (access: ApiAccess, manager: string, spec: object, force = false) => {
    const path = `${machines()}/web?fieldManager=${manager}&force=${force}`;
    const metadata = { name: 'web', namespace: cluster.namespace };
    const body = { apiVersion: 'usher.dev/v1alpha1', kind: 'VirtualMachine', metadata, spec };
    return apiRequest<VirtualMachine>(access, {
      method: 'PATCH',
      path,
      body,
      contentType: 'application/apply-patch+yaml',
    });
  };

  describe('a new VirtualMachineOperation', () => {
    it('carries who created it and their groups, whatever its manifest says', async () => {
      const forged = { [REQUESTER_ANNOTATION]: 'adele', [REQUESTER_GROUPS_ANNOTATION]: 'system:masters', note: 'mine' };
      const { metadata, status } = await create(site().alice, forged);
      const stamps = { [REQUESTER_ANNOTATION]: 'alice', [REQUESTER_GROUPS_ANNOTATION]: 'system:authenticated' };
      expect(metadata.annotations).to.deep.equal({ note: 'mine', ...stamps });
      expect(status?.phase).to.equal('Pending');
      expect(status?.conditions?.map(({ type, status: is }) => `${type} ${is}`)).to.deep.equal([
        'Ready Unknown',
        'Reconciling True',
      ]);
    });

    it('cannot be handed to somebody else', async () => {
      await create(site().alice);
      for (const [name, value] of [
        [REQUESTER_ANNOTATION, 'adele'],
        [REQUESTER_GROUPS_ANNOTATION, 'system:masters'],
        [REQUESTER_ANNOTATION, null],
      ] as const) {
        const metadata = { annotations: { [name]: value } };
        await refused(
          mergePatch(site().carol, `${operations()}/stop`, { metadata }),
          /cannot be changed: create another/,
        );
      }
    });

    it('cannot be changed but to suspend it and to cancel it, which cannot be taken back', async () => {
      await create(site().alice);
      await answered(change({ parallelism: 3 }), 422, /spec.parallelism: Invalid value: cannot be changed/);
      await answered(change({ targets: { set: 'db' } }), 422, /spec.targets: Invalid value: cannot be changed/);
      await answered(change({ reason: 'second thoughts' }), 422, /spec.reason: Invalid value: cannot be changed/);
      await change({ suspend: true });
      await change({ suspend: false, cancel: true });
      await answered(change({ cancel: false }), 422, /spec.cancel: Invalid value: cannot be taken back/);
    });

    it('is reported on by the operator alone', async () => {
      await create(site().alice);
      const report = (access: ApiAccess) =>
        mergePatch(access, `${operations()}/stop/status`, {
          status: { phase: 'Running', done: '7/10', summary: 'web-{1-10}' },
        });
      await refused(
        report(site().carol),
        /status is written by the operator, not by 'carol': to end the operation set/,
      );
      await report(site().operator);
      const shown = await kubectl(cluster, ['get', 'uvmop', '--namespace', cluster.namespace]);
      expect(shown.replaceAll(/ +/g, ' ')).to.match(
        /NAME TYPE TARGETS PHASE DONE BY AGE\nstop Shutdown web-\{1-10\} Running 7\/10 alice /,
      );
    });

    it('may be watched by who views, and created by who edits', async () => {
      await refused(create(site().victor), /cannot create/);
      await create(site().alice);
      expect((await get<VirtualMachineOperation>(site().victor, `${operations()}/stop`)).metadata.name).to.equal(
        'stop',
      );
    });
  });

  describe('the operator', () => {
    it('declares spec.powerState for operations, under their name, and nothing else of a spec', async () => {
      await post(site().alice, machines(), virtualMachine('web'));
      const { operator } = site();
      const { spec } = await declare(operator, 'usher-operations', { powerState: 'Stopped' }, true);
      expect(spec.powerState).to.equal('Stopped');
      await refused(
        declare(operator, 'usher-operations', { powerState: 'Running', restartPolicy: 'Never' }, true),
        /spec.restartPolicy: of a spec the operator writes nothing but powerState/,
      );
      await refused(
        declare(operator, 'other', { powerState: 'Running' }, true),
        /declares it as field manager usher-operations/,
      );
      await refused(
        mergePatch(operator, `${machines()}/web`, { spec: { powerState: 'Running' } }),
        /as field manager usher-operations/,
      );
    });

    it('is told who declares it where somebody applies it, and who wrote it once where somebody did', async () => {
      await declare(site().alice, 'flux', virtualMachine('web').spec);
      expect((await declare(site().operator, 'usher-operations', { powerState: 'Stopped' })).spec.powerState).to.equal(
        'Stopped',
      );
      await declare(site().alice, 'flux', { ...virtualMachine('web').spec, powerState: 'Running' }, true);
      await answered(
        declare(site().operator, 'usher-operations', { powerState: 'Stopped' }),
        409,
        /conflict with "flux": .spec.powerState/,
      );
      await mergePatch(site().alice, `${machines()}/web?fieldManager=hand`, { spec: { powerState: 'Stopped' } });
      await answered(
        declare(site().operator, 'usher-operations', { powerState: 'Running' }),
        409,
        /conflict with "hand" using usher.dev\/v1alpha1: .spec.powerState/,
      );
    });

    it('creates VirtualMachines in the name of whoever asked for an operation, and no others', async () => {
      await refused(
        post(site().operator, machines(), virtualMachine('web')),
        /for operations and for guests that lost theirs, in the name of whoever asked/,
      );
      const annotations = { [REQUESTER_ANNOTATION]: 'alice', [OPERATION_ANNOTATION]: 'of-an-operation' };
      const { metadata } = await post<VirtualMachine>(
        site().operator,
        machines(),
        virtualMachine('web', { annotations }),
      );
      expect(metadata.annotations).to.deep.equal(annotations);
    });

    it('is told what somebody may do', async () => {
      const ask = async (
        user: string,
        verb: string,
        resource = 'virtualmachines',
        namespace: string | undefined = cluster.namespace,
      ) => {
        const resourceAttributes = { verb, group: 'usher.dev', resource, namespace };
        const spec = { user, groups: ['system:authenticated'], resourceAttributes };
        const body = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec };
        return (await post<{ status: { allowed: boolean } }>(site().operator, REVIEWS, body)).status.allowed;
      };
      expect(await ask('alice', 'patch')).to.equal(true);
      expect(await ask('victor', 'patch')).to.equal(false);
      expect(await ask('victor', 'use', 'hypervisors', '')).to.equal(true);
    });
  });
}

const KIND = { apiVersion: 'usher.dev/v1alpha1', kind: 'VirtualMachineOperation' };
