// The API itself goes only where somebody said so on purpose: all guests go with it.

import { get, mergePatch, post, refused, remove } from './requests.ts';
import type { Site } from './site.ts';

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const MACHINES = 'virtualmachines.usher.dev';
const HYPERVISORS = 'hypervisors.usher.dev';

export function describeApiDeletion(site: () => Site): void {
  const tryDeleting = (name: string) => remove(site().master, `${CRDS}/${name}?dryRun=All`);
  const allow = (name: string, value: string | null) =>
    mergePatch(site().master, `${CRDS}/${name}`, { metadata: { annotations: { 'usher.dev/allow-deletion': value } } });

  describe('the API', () => {
    before(async () => {
      await post(site().master, CRDS, foreignKind());
    });

    after(async () => {
      await remove(site().master, `${CRDS}/lamps.example.org`);
    });

    it('is not deleted by a mere command, not even by the last resort', async () => {
      await refused(
        tryDeleting(MACHINES),
        /this deletes every VirtualMachine of the cluster, and so stops and removes every guest\. If that is what you want, say so first: kubectl annotate crd virtualmachines\.usher\.dev usher\.dev\/allow-deletion=true/,
      );
      await refused(tryDeleting(HYPERVISORS), /every Hypervisor, .* annotate crd hypervisors\.usher\.dev /);
      await refused(remove(site().master, `${CRDS}?dryRun=All`), /this deletes every/);
      await get(site().master, `${CRDS}/${MACHINES}`);
    });

    it('is deleted where that was allowed, kind by kind', async () => {
      await allow(MACHINES, 'true');
      await tryDeleting(MACHINES);
      await refused(tryDeleting(HYPERVISORS), /this deletes/);
      await allow(MACHINES, 'false');
      await refused(tryDeleting(MACHINES), /this deletes/);
      await allow(MACHINES, null);
    });

    it('of others is no concern of ours', async () => {
      await tryDeleting('lamps.example.org');
    });
  });
}

function foreignKind() {
  const schema = { openAPIV3Schema: { type: 'object' } };
  return {
    metadata: { name: 'lamps.example.org' },
    spec: {
      group: 'example.org',
      scope: 'Cluster',
      names: { plural: 'lamps', kind: 'Lamp' },
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  };
}
