// Starting, pausing, asking to stop, pulling the plug. What is so already is no error: drivers of libvirt name it by different
// numbers, so after any refusal the domain is looked at.
import type { DomainPowerState, StartOptions } from '#node-daemon/hypervisor/driver.ts';
import { DriverError, isDriverError } from '#node-daemon/hypervisor/errors.ts';
import { type Ask, CREATE, create, destroy, getState, reboot, resume, shutdown, suspend } from '../rpc/domain-calls.ts';
import { FAULT, isFault, LibvirtFault } from '../rpc/faults.ts';
import { lookup } from './lookup.ts';
import { powerStateOf } from './power-state.ts';
import { explained } from './refused-start.ts';

/** Rejects with NotFound, or with Failed where libvirt could not start it for whatever reason of its own. */
export async function startDomain(ask: Ask, uuid: string, { paused = false }: StartOptions): Promise<void> {
  try {
    await create(ask, uuid, paused ? CREATE.paused : CREATE.plain);
  } catch (error) {
    if (error instanceof LibvirtFault && (await isActive(ask, uuid)) === true) {
      return;
    }
    throw error instanceof LibvirtFault ? await explained(ask, uuid, error) : error;
  }
}

/** Rejects with Busy where it is off. */
export async function pauseDomain(ask: Ask, uuid: string): Promise<void> {
  await towards('Paused', { ask, uuid, change: () => suspend(ask, uuid) });
}

/** Rejects with Busy where it is off. */
export async function resumeDomain(ask: Ask, uuid: string): Promise<void> {
  await towards('Running', { ask, uuid, change: () => resume(ask, uuid) });
}

interface Change {
  readonly ask: Ask;
  readonly uuid: string;
  readonly change: () => Promise<void>;
}

async function towards(wanted: DomainPowerState, { ask, uuid, change }: Change): Promise<void> {
  try {
    await change();
  } catch (error) {
    if (!(error instanceof LibvirtFault) || isDriverError(error, 'NotFound')) {
      throw error;
    }
    const { powerState } = powerStateOf(await getState(ask, uuid));
    if (powerState !== wanted) {
      throw isOff(powerState) ? new DriverError('Busy', `the domain ${uuid} is off`, error) : error;
    }
  }
}

function isOff(powerState: DomainPowerState): boolean {
  return powerState === 'ShutOff' || powerState === 'Crashed';
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

/** Rejects with Busy where it does not run: libvirt itself would have it reboot once it does. */
export async function rebootDomain(ask: Ask, uuid: string): Promise<void> {
  const { powerState } = powerStateOf(await getState(ask, uuid));
  if (powerState !== 'Running') throw new DriverError('Busy', `the domain ${uuid} does not run: it is ${powerState}`);
  await reboot(ask, uuid);
}

/** Off, or about to be: its process may be there for a moment after the guest has ended. */
async function isEnding(ask: Ask, uuid: string): Promise<boolean> {
  const { powerState } = powerStateOf(await getState(ask, uuid));
  return isOff(powerState) || powerState === 'ShuttingDown';
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
