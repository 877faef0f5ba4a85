// spec.deletionProtection: what is protected goes only after somebody has said so on purpose, with its namespace or alone.

import { expect } from 'chai';
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

const NAMESPACES = '/api/v1/namespaces';

interface Namespace {
  readonly status: { readonly phase: string; readonly conditions?: readonly { type: string; message: string }[] };
}

export function describeDeletionProtection(cluster: OwnTestCluster, site: () => Site): void {
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
}
