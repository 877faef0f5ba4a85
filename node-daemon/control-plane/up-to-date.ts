// Whether what this daemon knows of VMs is what the control plane has that answers now. A watch that breaks off with it is
// not taken up at once, and one object may be seen of the new one while all others are still those of the one before.
import { virtualMachineResource } from '#crds/v1alpha1/kinds.ts';
import { isOurAnnotation } from '#crds/v1alpha1/names.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import { controlPlaneUid } from '#runtime/kube/control-plane.ts';
import type { KubeStore } from '#runtime/kube/store.ts';
import { listAll } from '#runtime/reflector/list.ts';
import type { ObjectReader } from '#runtime/reflector/object-cache.ts';
import { latestVersion } from './answers.ts';
import type { ControlPlaneWatch } from './watch.ts';

interface Known {
  readonly store: KubeStore;
  readonly nodeName: string;
  readonly controlPlane: ControlPlaneWatch;
  /** Those that are placed here, and those that are to come. */
  readonly machines: Pick<ObjectReader<VirtualMachine>, 'list'>;
  readonly incoming: Pick<ObjectReader<VirtualMachine>, 'list'>;
}

/** False where a guest may be taken for declared that is not any more. Rejects with a KubeError. */
export async function isUpToDate(known: Known, signal: AbortSignal): Promise<boolean> {
  const { store, controlPlane, machines, incoming } = known;
  const before = controlPlane.doubt;
  if (!controlPlane.isTheOneMet(await controlPlaneUid(store, signal))) return false;
  await controlPlane.verify(async () => latestVersion(store, signal));
  if (controlPlane.doubt !== before) return false;
  const all = [
    [machines, 'placement.hypervisor'],
    [incoming, 'migration.plan.target'],
  ] as const;
  const present = await Promise.all(all.map(async ([cache, where]) => hasAll(known, cache.list(), where, signal)));
  return !present.includes(false);
}

async function hasAll(
  { store, nodeName }: Known,
  cached: readonly VirtualMachine[],
  where: string,
  signal: AbortSignal,
): Promise<boolean> {
  const selection = { fieldSelector: `status.${where}=${nodeName}` };
  const request = { store, type: virtualMachineResource, selection, keepsAnnotation: isOurAnnotation };
  const uids = new Set((await listAll(request, signal)).objects.map(({ metadata }) => metadata.uid));
  return cached.every(({ metadata }) => uids.has(metadata.uid));
}
