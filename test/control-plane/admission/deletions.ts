// Deletions that are refused, spec.deletionProtection, and deletions by force.

import { expect } from 'chai';
import { FORCE_DELETE_ANNOTATION } from '#crds/v1alpha1/names.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
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
import type { Site } from './site.ts';

const placement = {
  hypervisor: 'n1',
  hypervisorUID: '0d9f7c1e-52a4-4c0b-9a86-3c1f9b6d2e10',
  epoch: 1,
  decidedBy: 'test',
  reason: 'As the test says.',
  time: '2026-01-01T00:00:00Z',
  signature: '',
};

const NAMESPACES = '/api/v1/namespaces';

interface Namespace {
  readonly status: { readonly phase: string; readonly conditions?: readonly { type: string; message: string }[] };
}

export function describeDeletions(cluster: OwnTestCluster, site: () => Site): void {
  const create = (name: string, namespace: string, spec: object = { deletionProtection: true }) => {
    const manifest = virtualMachine(name);
    return post(site().alice, virtualMachines(namespace), { ...manifest, spec: { ...manifest.spec, ...spec } });
  };
  const lift = (path: string) => mergePatch(site().alice, path, { spec: { deletionProtection: false } });
  const letGo = (path: string) => mergePatch(site().master, path, { metadata: { finalizers: null } });

  describe('a VirtualMachine that is protected from deletion', () => {
    const path = () => `${virtualMachines(cluster.namespace)}/kept`;

    it('is not deleted, whoever asks, and the answer is the command that lifts the protection', async () => {
      await create('kept', cluster.namespace);
      const words = new RegExp(
        `lift the protection first: kubectl patch uvm kept --namespace ${cluster.namespace} --type=merge --patch '\\{"spec":\\{"deletionProtection":false\\}\\}'`,
      );
      for (const access of [site().alice, site().carol, site().master]) await refused(remove(access, path()), words);
      await refused(remove(site().alice, virtualMachines(cluster.namespace)), words);
      expect((await get<VirtualMachine>(site().alice, path())).metadata.deletionTimestamp).to.equal(undefined);
    });

    it('is deleted once that was lifted, and asked again while it goes', async () => {
      await create('kept', cluster.namespace);
      await lift(path());
      await remove(site().alice, path());
      await mergePatch(site().alice, path(), { spec: { deletionProtection: true } });
      await remove(site().alice, path());
      await letGo(path());
      await answered(get(site().alice, path()), 404, /not found/);
    });

    it('holds the deletion of its namespace, which says why, until that was lifted', async () => {
      const team = `${NAMESPACES}/doomed`;
      await post(site().master, NAMESPACES, { metadata: { name: 'doomed' } });
      const [kept, other] = ['kept', 'other'].map((name) => `${virtualMachines('doomed')}/${name}`) as [string, string];
      await create('kept', 'doomed');
      await create('other', 'doomed', {});
      await remove(site().master, team);
      await eventually(async () => {
        const { phase, conditions = [] } = (await get<Namespace>(site().master, team)).status;
        expect(phase).to.equal('Terminating');
        const failure = conditions.find(({ type }) => type === 'NamespaceDeletionContentFailure');
        expect(failure?.message).to.match(/deletionProtection is set.* kubectl patch uvm kept --namespace doomed/);
      });
      expect((await get<VirtualMachine>(site().alice, kept)).metadata.deletionTimestamp).to.equal(undefined);
      await letGo(other);
      await lift(kept);
      await eventually(async () => {
        expect((await get<VirtualMachine>(site().alice, kept)).metadata.deletionTimestamp).not.to.equal(undefined);
      });
      await letGo(kept);
      await eventually(() => answered(get(site().master, team), 404, /not found/));
    }).timeout(120_000);
  });

  describe('the deletion of a VirtualMachine by force', () => {
    const path = () => `${virtualMachines(cluster.namespace)}/stuck`;
    const force = (hypervisor: string | null) =>
      mergePatch(site().alice, path(), { metadata: { annotations: { [FORCE_DELETE_ANNOTATION]: hypervisor } } });

    beforeEach(async () => {
      await create('stuck', cluster.namespace, {});
      await mergePatch(site().master, `${path()}/status`, { status: { placement } });
    });

    it('is not asked for beforehand: neither in a manifest nor while it lives', async () => {
      await refused(force('n1'), /delete it first \(kubectl delete --wait=false\)/);
      const annotations = { [FORCE_DELETE_ANNOTATION]: 'n1' };
      const manifest = virtualMachine('other', { annotations });
      await refused(post(site().alice, virtualMachines(cluster.namespace), manifest), /delete it first/);
      await letGo(path());
    });

    it('is asked for in the name of the hypervisor that holds it, and of no other', async () => {
      await remove(site().alice, path());
      await refused(force('yes'), /it must name the hypervisor that holds it, which is 'n1'/);
      await force('n1');
      await mergePatch(site().alice, path(), { spec: { powerState: 'Stopped' } });
      await force(null);
      await letGo(path());
    });

    it('is carried out by the operator alone', async () => {
      await remove(site().alice, path());
      await force('n1');
      await refused(mergePatch(site().alice, path(), { metadata: { finalizers: null } }), /by the operator alone/);
      await mergePatch(site().operator, path(), { metadata: { finalizers: null } });
      await answered(get(site().alice, path()), 404, /not found/);
    });
  });
}
