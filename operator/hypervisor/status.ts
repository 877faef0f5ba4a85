// The one place where the operator writes into a hypervisor's status; the daemon's part stays as it is.
import { setConditions } from '#crds/conditions.ts';
import type { Hypervisor, HypervisorStatus } from '#crds/v1alpha1/hypervisor.ts';
import type { Plan } from './plan.ts';

/** The whole next status; `time` is RFC 3339. */
export function statusAfter(plan: Plan, { metadata, status }: Hypervisor, time: string): HypervisorStatus {
  const { conditions, hold } = plan;
  const observedGeneration = metadata.generation ?? 0;
  const { hold: _before, ...rest } = status ?? {};
  const told = hold === undefined ? rest : { ...rest, hold };
  return { ...told, conditions: [...setConditions(status?.conditions, conditions, { observedGeneration, time })] };
}
