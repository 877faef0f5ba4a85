// Finding one domain, where there is one.
import { isDriverError } from '#node-daemon/hypervisor/errors.ts';
import { type Ask, lookupByUuid } from '../rpc/domain-calls.ts';
import type { DomainHandle } from '../rpc/values.ts';

/** Undefined where there is no such domain. */
export function lookup(ask: Ask, uuid: string): Promise<DomainHandle | undefined> {
  return unlessGone(lookupByUuid(ask, uuid));
}

/** Undefined where the domain is not there, or went away meanwhile. */
export async function unlessGone<T>(looking: Promise<T>): Promise<T | undefined> {
  try {
    return await looking;
  } catch (error) {
    if (isDriverError(error, 'NotFound')) {
      return undefined;
    }
    throw error;
  }
}
