// The one place where the operator writes into a hypervisor's status; the daemon's part stays as it is.
import { setConditions } from '#crds/conditions.ts';
import type { Hypervisor, HypervisorStatus } from '#crds/v1alpha1/hypervisor.ts';
import type { Plan } from './plan.ts';

/** The whole next status; `time` is RFC 3339. */
export function statusAfter({ conditions }: Plan, { metadata, status }: Hypervisor, time: string): HypervisorStatus {
  const observedGeneration = metadata.generation ?? 0;
  return { ...status, conditions: [...setConditions(status?.conditions, conditions, { observedGeneration, time })] };
}
