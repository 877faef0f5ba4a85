// What a guest takes of its machine: what it has, and what was guaranteed to it, which it bears itself.

import { type Amount, amountOf, larger, NO_AMOUNT } from '#crds/amount.ts';
import { type Limits, limitsOf, NO_LIMITS } from '#crds/resources.ts';
import type { Resources } from '#crds/v1alpha1/virtual-machine-spec.ts';
import type { Domain, DomainMetadata } from '../hypervisor/driver.ts';
import { builtFrom } from './pending-changes.ts';

/** Foreign guests, and those that bear nothing that can be read, were guaranteed nothing. */
export function amountHeldBy({ cpus, memoryBytes, metadata }: Domain): Amount {
  const guaranteed = metadata === undefined ? undefined : guaranteedIn(metadata);
  return { cpus, memoryBytes, ...(guaranteed === undefined ? {} : { guaranteed }) };
}

/** What a guest takes that goes on from its memory: its own size, and what was guaranteed to it before or is now. */
export function amountToRestore(domain: Domain, granted: Resources): Amount {
  const { guaranteed } = amountOf(granted);
  return larger(amountHeldBy(domain), guaranteed === undefined ? NO_AMOUNT : { ...NO_AMOUNT, guaranteed });
}

/** How CPU time was to be shared out for it when it was last told. */
export function limitsBorneBy({ metadata }: Domain): Limits {
  const resources = metadata === undefined ? undefined : resourcesIn(metadata);
  try {
    return resources === undefined ? NO_LIMITS : limitsOf(resources);
  } catch {
    return NO_LIMITS;
  }
}

function guaranteedIn(metadata: DomainMetadata): Amount['guaranteed'] {
  const resources = resourcesIn(metadata);
  try {
    return resources === undefined ? undefined : amountOf(resources).guaranteed;
  } catch {
    return undefined;
  }
}

function resourcesIn({ payload, latest }: DomainMetadata): Resources | undefined {
  return builtFrom(latest?.payload ?? payload)?.resources;
}
