// What a guest bears of us: whose it is, under which permission, and what was granted last. It is kept up to date, for
// whoever loses the control plane writes every VM anew from it.
import { canonicalJson } from '#crds/canonical-json.ts';
import type { Granted } from '#crds/v1alpha1/virtual-machine-status.ts';
import type { DomainMetadata } from '../hypervisor/driver.ts';
import type { Mine } from './actions.ts';
import { metadataOf } from './definition.ts';
import { pendingChanges } from './pending-changes.ts';

/** What it should bear now: what it was really built from stays, beside what was granted since. Pure. */
export function marksFor(mine: Mine, metadata: DomainMetadata): DomainMetadata {
  const { asFound } = metadata;
  return { ...grantedFor(mine, metadata), ...(asFound === undefined ? {} : { asFound }) };
}

function grantedFor({ vm, granted, placement }: Mine, metadata: DomainMetadata): DomainMetadata {
  const newest = metadataOf(vm, granted, placement);
  const { uid, namespace, name, epoch } = newest;
  // What was signed is the spec of the generation that was decided, which is not the one at hand.
  if (!isDecided(vm.metadata.generation, granted)) return { ...metadata, uid, namespace, name, epoch };
  if (pendingChanges(metadata, vm, granted).length === 0) return newest;
  const { payload, signature } = metadata;
  // Generations of another object count something else.
  const generation = metadata.uid === uid ? metadata.generation : 0;
  const latest = { payload: newest.payload, signature: newest.signature };
  return { ...newest, generation, payload, signature, latest };
}

function isDecided(generation: number | undefined, granted: Granted): boolean {
  return granted.generation === generation;
}

/** Whether it bears all that. */
export function bears(metadata: DomainMetadata, wanted: DomainMetadata): boolean {
  return canonicalJson({ ...metadata }) === canonicalJson({ ...wanted });
}

/** Whether it bears whose it is and under which permission: without that nothing is told of it. */
export function bearsPermission(metadata: DomainMetadata, wanted: DomainMetadata): boolean {
  return metadata.uid === wanted.uid && metadata.epoch === wanted.epoch;
}
