// Starting, asking to stop, pulling the plug. What is so already is no error: drivers of libvirt name it by different
// numbers, so after any refusal the domain is looked at.
import { type Ask, create, destroy, getState, shutdown } from '../rpc/domain-calls.ts';
import { FAULT, isFault, LibvirtFault } from '../rpc/faults.ts';
import { lookup } from './inventory.ts';
import { powerStateOf } from './power-state.ts';
import { explained } from './refused-start.ts';

/** Rejects with NotFound, or with Failed where libvirt could not start it for whatever reason of its own. */
export async function startDomain(ask: Ask, uuid: string): Promise<void> {
  try {
    await create(ask, uuid);
  } catch (error) {
    if (error instanceof LibvirtFault && (await isActive(ask, uuid)) === true) {
      return;
    }
    throw error instanceof LibvirtFault ? await explained(ask, uuid, error) : error;
  }
}

export async function shutDownDomain(ask: Ask, uuid: string): Promise<void> {
  try {
    await shutdown(ask, uuid);
  } catch (error) {
    if (!(error instanceof LibvirtFault) || !(await isEnding(ask, uuid))) {
      throw error;
    }
  }
}

/** Off, or about to be: its process may be there for a moment after the guest has ended. */
async function isEnding(ask: Ask, uuid: string): Promise<boolean> {
  const { powerState } = powerStateOf(await getState(ask, uuid));
  return powerState === 'ShutOff' || powerState === 'Crashed' || powerState === 'ShuttingDown';
}

export async function destroyDomain(ask: Ask, uuid: string): Promise<void> {
  try {
    await destroy(ask, uuid);
  } catch (error) {
    const wasOff = isFault(error, FAULT.noDomain, FAULT.operationInvalid);
    if (!wasOff && (!(error instanceof LibvirtFault) || (await isActive(ask, uuid)) === true)) {
      throw error;
    }
  }
}

/** Undefined where it is absent. */
async function isActive(ask: Ask, uuid: string): Promise<boolean | undefined> {
  return (await lookup(ask, uuid))?.active;
}
