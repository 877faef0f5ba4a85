// Guests that shut down and come up again in the process that they have.
import { DriverError } from '../errors.ts';
import type { Guest } from './guest.ts';
import type { GuestTable } from './guest-table.ts';

/** Rejects with Busy where it does not run. One that does not hear the request shows no sign of it. */
export function rebootGuest(guests: GuestTable, guest: Guest, { now, hears }: { now: number; hears: boolean }): void {
  const { name, power } = guest;
  if (power.kind !== 'Running') throw new DriverError('Busy', `domain ${name} does not run: it is ${power.kind}`);
  if (hears) guests.change(guest, { kind: 'Running', since: now }, 'rebooted');
}
