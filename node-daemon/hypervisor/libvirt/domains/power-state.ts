// libvirt's states and reasons (include/libvirt/libvirt-domain.h) in the words of the port.
import type { Domain, DomainPowerState, ShutOffReason } from '#node-daemon/hypervisor/driver.ts';
import type { StateAndReason } from '../rpc/domain-calls.ts';

const STATES: Readonly<Record<number, DomainPowerState>> = {
  1: 'Running',
  2: 'Running', // blocked on a resource: Xen's word for idle
  3: 'Paused',
  4: 'ShuttingDown',
  5: 'ShutOff',
  6: 'Crashed',
  7: 'Paused', // suspended by the guest's own power management
};

const PAUSED = 3;
const PAUSED_REASONS: Readonly<Record<number, DomainPowerState>> = {
  // Moving to another hypervisor or from one: whoever asks must find out which.
  2: 'Outgoing',
  3: 'Saving',
  8: 'ShuttingDown',
  // Being started. Where libvirtd was killed at it, it says so for ever after, of a guest that has no process.
  11: 'Unknown',
};

/**
 * 0 is what libvirt says of a domain that was only defined, and of every domain that was off when libvirtd was
 * restarted: it cannot tell the two apart.
 */
const SHUT_OFF_REASONS: Readonly<Record<number, ShutOffReason>> = {
  1: 'Shutdown',
  2: 'Destroyed',
  3: 'Crashed',
  4: 'Migrated',
  5: 'Saved',
  6: 'Failed',
  8: 'Failed', // its process was gone when libvirtd came back
};

export function powerStateOf({ state, reason }: StateAndReason): Pick<Domain, 'powerState' | 'shutOffReason'> {
  const powerState = (state === PAUSED ? PAUSED_REASONS[reason] : undefined) ?? STATES[state] ?? 'Unknown';
  switch (powerState) {
    case 'ShutOff':
      return { powerState, shutOffReason: SHUT_OFF_REASONS[reason] ?? 'Unknown' };
    case 'Crashed':
      return { powerState, shutOffReason: 'Crashed' };
    case 'Running':
    case 'Paused':
    case 'Incoming':
    case 'Outgoing':
    case 'Saving':
    case 'ShuttingDown':
    case 'Unknown':
      return { powerState };
  }
}
