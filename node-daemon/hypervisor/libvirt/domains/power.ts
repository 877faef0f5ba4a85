// Starting, asking to stop, pulling the plug. What is so already is no error.
import { DriverError, isDriverError } from '#node-daemon/hypervisor/errors.ts';
import { type Ask, create, destroy, shutdown } from '../rpc/domain-calls.ts';
import { FAULT, isFault } from '../rpc/faults.ts';
import { lookup } from './inventory.ts';

/** Rejects with NotFound, or with Failed where libvirt could not start it for whatever reason of its own. */
export async function startDomain(ask: Ask, uuid: string): Promise<void> {
  try {
    await create(ask, uuid);
  } catch (error) {
    if (isFault(error, FAULT.operationInvalid) && (await lookup(ask, uuid))?.active === true) {
      return;
    }
    throw isDriverError(error, 'Invalid', 'Unsupported', 'Conflict')
      ? new DriverError('Failed', error.message, error)
      : error;
  }
}

export async function shutDownDomain(ask: Ask, uuid: string): Promise<void> {
  try {
    await shutdown(ask, uuid);
  } catch (error) {
    if (isFault(error, FAULT.operationInvalid) && (await lookup(ask, uuid))?.active === false) {
      return;
    }
    throw error;
  }
}

export async function destroyDomain(ask: Ask, uuid: string): Promise<void> {
  try {
    await destroy(ask, uuid);
  } catch (error) {
    if (!isFault(error, FAULT.noDomain, FAULT.operationInvalid)) {
      throw error;
    }
  }
}
