// A foreign guest that a VM is to adopt, before it bears that.
import { ADOPTION_EPOCH } from '#crds/derive/adoption.ts';
import { currentInstance } from '#crds/derive/epoch.ts';
import { ADOPTED_FROM_ANNOTATION } from '#crds/v1alpha1/names.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';

/** Code of the fault of a guest that is not adopted yet. */
export const ADOPTION_PENDING = 'AdoptionPending';

/**
 * Whether this VM was given a guest that it has not been told to have yet. Both the permission and the annotation are the
 * operator's; whatever was told once, another state or another permission, ends it for good.
 */
export function isAdopting({ metadata, status }: VirtualMachine, hypervisor: string): boolean {
  const { placement, managed } = status ?? {};
  if (metadata.deletionTimestamp !== undefined || managed?.origin !== 'Adopted') return false;
  if (metadata.annotations?.[ADOPTED_FROM_ANNOTATION] !== hypervisor) return false;
  const told = currentInstance(status)?.powerState;
  return placement?.epoch === ADOPTION_EPOCH && (told === undefined || told === 'Starting');
}
