// What keeps any guest from being started, or from going on from its image.
import type { Mine, Plan } from './actions.ts';
import { LEASE_RETRY_MS } from './pauses.ts';

/** Only what is declared by now is started. */
export function notDecided({ granted, vm }: Mine): Plan | undefined {
  if (granted.generation === vm.metadata.generation) return undefined;
  return { kind: 'Nothing', reason: `Generation ${vm.metadata.generation ?? 0} of the spec is not decided yet.` };
}

/** Another may act for this node by now. */
export function withoutLease({ snapshot }: Mine): Plan | undefined {
  if (snapshot.leaseValid) return undefined;
  const reason = 'Nothing is started while the Lease of this node is not renewed.';
  return { kind: 'Nothing', reason, again: LEASE_RETRY_MS };
}
