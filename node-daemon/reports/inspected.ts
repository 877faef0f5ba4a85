// Reads foreign guests, for whoever may want to adopt them.
import { limits } from '#crds/v1alpha1/limits.ts';
import type { DomainContext } from '../domains/context.ts';
import type { Domain, Inspection } from '../hypervisor/driver.ts';
import { isDriverError } from '../hypervisor/errors.ts';
import type { Unowned } from './content.ts';

/** Not more than can be reported. What bears marks of ours is a copy, and is not read: nobody adopts it. */
export async function inspected(
  { driver }: Pick<DomainContext, 'driver'>,
  foreign: readonly Domain[],
): Promise<Unowned[]> {
  const some = foreign.toSorted((one, other) => (one.uuid < other.uuid ? -1 : 1)).slice(0, limits.domainReports);
  const all: Unowned[] = [];
  for (const domain of some) {
    const inspection = domain.metadata === undefined ? await inspect(driver, domain.uuid) : undefined;
    all.push({ domain, reason: 'Foreign', ...(inspection === undefined ? {} : { inspection }) });
  }
  return all;
}

/** Undefined where it cannot be read now. */
export async function inspect(driver: DomainContext['driver'], uuid: string): Promise<Inspection | undefined> {
  try {
    return await driver.inspect(uuid);
  } catch (error) {
    if (!isDriverError(error)) throw error;
    return undefined;
  }
}
