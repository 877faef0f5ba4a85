// Guests that are made to stand still, go on, or are written to disk with all they were doing.
import { DriverError } from '../errors.ts';
import type { Guest, Power } from './guest.ts';
import type { GuestTable } from './guest-table.ts';

/** Rejects with Busy where it is off, or is not to be disturbed. */
export function pauseGuest(guests: GuestTable, guest: Guest, now: number): void {
  const { power } = guest;
  if (power.kind === 'Paused') return;
  if (power.kind !== 'Running') throw busy(guest, 'paused');
  guests.changePace(guest, { kind: 'Paused', since: power.since, pausedAt: now, asked: false }, 'paused');
}

/** Gives back whether it had been asked to shut down meanwhile, and hears of it now. Rejects with Busy where it is off. */
export function resumeGuest(guests: GuestTable, guest: Guest, now: number): boolean {
  const { power } = guest;
  if (power.kind === 'Running' || power.kind === 'ShuttingDown') return false;
  if (power.kind !== 'Paused') throw busy(guest, 'resumed');
  guests.changePace(guest, { kind: 'Running', since: power.since + now - power.pausedAt }, 'resumed');
  return power.asked;
}

/** Begins to write its memory, and gives back what it was before; undefined where that is done already. */
export function beginSaving(guest: Guest): Extract<Power, { kind: 'Running' | 'Paused' }> | undefined {
  const { power, image } = guest;
  if (!guest.persistent) throw new DriverError('Failed', `domain ${guest.name} has no definition to be restored by`);
  if (power.kind === 'Running' || power.kind === 'Paused') return power;
  if (power.kind === 'Off' && image !== undefined) return undefined;
  throw busy(guest, 'saved');
}

/** Its memory is on disk, and its process ends. */
export function finishSaving(guests: GuestTable, guest: Guest, ranFor: number): void {
  guest.image = { ranFor };
  guests.turnOff(guest, { reason: 'Saved', detail: 'hibernated', initiator: 'Unknown' });
}

/** Throws Busy: what it is and bears must stay what it was saved with. */
export function refuseWithImage(guest: Guest | undefined): void {
  if (guest?.image !== undefined)
    throw new DriverError(
      'Busy',
      `the memory of domain ${guest.name} is kept: it cannot be changed before that is used`,
    );
}

function busy({ name, power }: Guest, what: string): DriverError {
  return new DriverError('Busy', `domain ${name} cannot be ${what}: it is ${power.kind}`);
}
