// What a guest takes of its machine: what it has, and what was guaranteed to it, which it bears itself.
import { type Amount, amountOf } from '#crds/amount.ts';
import type { Domain, DomainMetadata } from '../hypervisor/driver.ts';
import { builtFrom } from './pending-changes.ts';

/** Foreign guests, and those that bear nothing that can be read, were guaranteed nothing. */
export function amountHeldBy({ cpus, memoryBytes, metadata }: Domain): Amount {
  const guaranteed = metadata === undefined ? undefined : guaranteedIn(metadata);
  return { cpus, memoryBytes, ...(guaranteed === undefined ? {} : { guaranteed }) };
}

function guaranteedIn({ payload, latest }: DomainMetadata): Amount['guaranteed'] {
  const resources = builtFrom(latest?.payload ?? payload)?.resources;
  try {
    return resources === undefined ? undefined : amountOf(resources).guaranteed;
  } catch {
    return undefined;
  }
}
