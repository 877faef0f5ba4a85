// The one place where the operator writes into a hypervisor's status; the daemon's part stays as it is.
import { setCondition } from '#crds/conditions.ts';
import type { Condition } from '#crds/v1alpha1/fragments.ts';
import type { Hypervisor, HypervisorStatus } from '#crds/v1alpha1/hypervisor.ts';
import type { Plan } from './plan.ts';

export function statusAfter({ conditions: told }: Plan, hypervisor: Hypervisor, time: string): HypervisorStatus {
  const observedGeneration = hypervisor.metadata.generation ?? 0;
  const conditions = told.reduce<readonly Condition[]>(
    (all, condition) => setCondition(all, { ...condition, observedGeneration }, time),
    hypervisor.status?.conditions ?? [],
  );
  return { ...hypervisor.status, conditions: [...conditions] };
}
