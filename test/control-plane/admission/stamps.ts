// Requester, finalizer and the uuid of the guest: what a VirtualMachine carries and its user cannot change.

import { expect } from 'chai';
import {
  ADOPTED_FROM_ANNOTATION,
  INSTANCE_UUID_ANNOTATION,
  REQUESTER_ANNOTATION,
  VM_FINALIZER,
} from '#crds/v1alpha1/names.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import { type ApiAccess, apiRequest } from '#hack/control-plane/api-request.ts';
import type { OwnTestCluster } from '../harness.ts';
import {
  answered,
  eventually,
  get,
  mergePatch,
  post,
  refused,
  remove,
  virtualMachine,
  virtualMachines,
} from './requests.ts';
import { ADMISSION, kubectl, type Site } from './site.ts';

const UUID = '7f8e6a50-0000-4000-8000-000000000001';

export function describeStamps(cluster: OwnTestCluster, site: () => Site): void {
  const path = () => `${virtualMachines(cluster.namespace)}/web`;
  const create = (access: ApiAccess, metadata: object = {}) =>
    post<VirtualMachine>(access, virtualMachines(cluster.namespace), virtualMachine('web', metadata));
  const annotate = (access: ApiAccess, annotations: object) =>
    mergePatch(access, path(), { metadata: { annotations } });
  const letGo = (access: ApiAccess) => mergePatch(access, path(), { metadata: { finalizers: null } });

  describe('a new VirtualMachine', () => {
    it('carries the finalizer and the name of who created it', async () => {
      const { metadata } = await create(site().alice);
      expect(metadata.finalizers).to.deep.equal([VM_FINALIZER]);
      expect(metadata.annotations).to.deep.equal({ [REQUESTER_ANNOTATION]: 'alice' });
    });

    it('keeps the annotations and finalizers that its manifest has', async () => {
      const given = { annotations: { note: 'mine' }, finalizers: ['example.org/mine'] };
      const { metadata } = await create(site().alice, given);
      expect(metadata.annotations).to.deep.equal({ note: 'mine', [REQUESTER_ANNOTATION]: 'alice' });
      expect(metadata.finalizers).to.deep.equal(['example.org/mine', VM_FINALIZER]);
    });

    it('names its real creator whatever its manifest says, and holds the finalizer once', async () => {
      const forged = { annotations: { [REQUESTER_ANNOTATION]: 'bob' }, finalizers: [VM_FINALIZER] };
      const { metadata } = await create(site().alice, forged);
      expect(metadata.annotations).to.deep.equal({ [REQUESTER_ANNOTATION]: 'alice' });
      expect(metadata.finalizers).to.deep.equal([VM_FINALIZER]);
    });

    it('may not claim a guest, whoever creates it', async () => {
      const claim = { annotations: { [INSTANCE_UUID_ANNOTATION]: UUID } };
      await refused(create(site().alice, claim), /annotations\[usher\.dev\/instance-uuid\].* alone: remove it/);
      await refused(create(site().master, claim), /annotations\[usher\.dev\/instance-uuid\]/);
      const adopt = { annotations: { [ADOPTED_FROM_ANNOTATION]: 'n1' } };
      await refused(create(site().alice, adopt), /annotations\[usher\.dev\/adopted-from\].* alone: remove it/);
      await refused(create(site().master, adopt), /annotations\[usher\.dev\/adopted-from\]/);
    });

    it('is refused for what is wrong with its spec in words about its spec', async () => {
      const wrong = { ...virtualMachine('web'), spec: { resources: { cpus: 'two' } } };
      const sent = post(site().alice, virtualMachines(cluster.namespace), wrong);
      await answered(sent, 422, /^(?!.*AdmissionPolicy).*spec\.resources\.cpus/);
    });

    for (const flags of [[], ['--server-side']]) {
      it(`keeps its stamps when kubectl apply ${flags.join('')} comes again`, async () => {
        const asAlice = ['--as', 'alice', '--namespace', cluster.namespace, 'apply', ...flags, '-f', '-'];
        const apply = (tier: string) =>
          kubectl(cluster, asAlice, JSON.stringify(virtualMachine('web', { labels: { tier } })));
        await apply('a');
        await apply('b');
        const { metadata } = await get<VirtualMachine>(site().alice, path());
        expect(metadata.labels).to.deep.equal({ tier: 'b' });
        expect(metadata.annotations).to.include({ [REQUESTER_ANNOTATION]: 'alice' });
        expect(metadata.finalizers).to.deep.equal([VM_FINALIZER]);
      });
    }
  });

  describe('a new VirtualMachine that nobody stamps', () => {
    const binding = 'mutatingadmissionpolicybinding/usher-virtual-machine-creation';
    const tryCreate = (metadata?: object) =>
      post(site().alice, `${virtualMachines('default')}?dryRun=All`, virtualMachine('web', metadata));

    before(async () => {
      await kubectl(cluster, ['delete', binding]);
      await eventually(() => answered(tryCreate(), 422, /./));
    });
    after(async () => {
      await kubectl(cluster, ['apply', '--server-side', '-f', ADMISSION]);
      await eventually(() => tryCreate());
    });

    it('is refused, and its user told which policy to look for', async () => {
      const words = /check that it and its binding are installed/;
      const annotations = { [REQUESTER_ANNOTATION]: 'alice' };
      const finalizers = [VM_FINALIZER];
      await answered(tryCreate(), 422, words);
      await answered(tryCreate({ annotations }), 422, words);
      await answered(tryCreate({ finalizers }), 422, words);
      await answered(tryCreate({ annotations: { [REQUESTER_ANNOTATION]: 'bob' }, finalizers }), 422, words);
    });
  });

  describe('the stamps of a VirtualMachine', () => {
    beforeEach(() => create(site().alice));

    it('leave everything else to its user', async () => {
      await annotate(site().alice, { note: 'mine' });
      await mergePatch(site().alice, path(), { spec: { powerState: 'Stopped' } });
      await mergePatch(site().alice, path(), { metadata: { finalizers: [VM_FINALIZER, 'example.org/mine'] } });
    });

    it('name the requester for good', async () => {
      const { alice, carol, operator, master } = site();
      const words = /annotations\[usher\.dev\/requester\].* leave it at 'alice'/;
      for (const access of [alice, carol, operator, master]) {
        await refused(annotate(access, { [REQUESTER_ANNOTATION]: 'bob' }), words);
        await refused(annotate(access, { [REQUESTER_ANNOTATION]: null }), words);
      }
    });

    it('are not to be left out of a replacement', async () => {
      const { resourceVersion, annotations } = (await get<VirtualMachine>(site().alice, path())).metadata;
      const replace = (metadata: object) => {
        const body = virtualMachine('web', { resourceVersion, ...metadata });
        return apiRequest(site().alice, { method: 'PUT', path: path(), body });
      };
      await refused(replace({ finalizers: [VM_FINALIZER] }), /usher\.dev\/requester/);
      await refused(replace({ annotations }), /usher\.dev\/virtual-machine.* keep it in the manifest/);
      await replace({ annotations, finalizers: [VM_FINALIZER] });
    });

    it('are out of reach through the status', async () => {
      const annotations = { [REQUESTER_ANNOTATION]: 'bob', [INSTANCE_UUID_ANNOTATION]: UUID };
      const body = { metadata: { annotations, finalizers: null }, status: { observedGeneration: 1 } };
      const { metadata } = await mergePatch<VirtualMachine>(site().operator, `${path()}/status`, body);
      expect(metadata.annotations).to.deep.equal({ [REQUESTER_ANNOTATION]: 'alice' });
      expect(metadata.finalizers).to.deep.equal([VM_FINALIZER]);
    });

    it('leave the uuid of the guest to the operator', async () => {
      const { alice, carol, operator } = site();
      await refused(annotate(alice, { [INSTANCE_UUID_ANNOTATION]: UUID }), /instance-uuid.* remove it/);
      await annotate(operator, { [INSTANCE_UUID_ANNOTATION]: UUID });
      await annotate(alice, { note: 'mine' });
      for (const value of [null, 'other'])
        await refused(annotate(carol, { [INSTANCE_UUID_ANNOTATION]: value }), /leave it at '7f8e6a50/);
      await refused(annotate(carol, { [ADOPTED_FROM_ANNOTATION]: 'n1' }), /adopted-from.* remove it/);
      await annotate(operator, { [ADOPTED_FROM_ANNOTATION]: 'n1' });
      await refused(annotate(carol, { [ADOPTED_FROM_ANNOTATION]: 'n2' }), /adopted-from.* leave it at 'n1'/);
    });

    it('hold a deleted object until the operator lets it go', async () => {
      const { alice, operator } = site();
      await remove(alice, path());
      await refused(letGo(alice), /metadata\.finalizers: .* removed by the operator alone/);
      await letGo(operator);
      await answered(get(alice, path()), 404, /not found/);
    });

    it('let go by hand only as the last resort, and say how', async () => {
      const command = `kubectl patch uvm web --namespace ${cluster.namespace} --type=merge --patch`;
      await refused(letGo(site().carol), new RegExp(`system:masters: ${command}`));
      await letGo(site().master);
    });
  });
}
