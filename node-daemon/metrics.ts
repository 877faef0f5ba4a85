// What the daemon counts of guests. Labels are few and bounded: never an object's name.
import { Gauge, type Registry } from 'prom-client';
import type { LastTermination } from '#crds/v1alpha1/virtual-machine-status.ts';
import { counter } from '#runtime/process/metrics.ts';

export interface GuestMetrics {
  /** A guest ended, as it was told. */
  ended(how: Pick<LastTermination, 'reason' | 'initiator'>): void;
  /** So many guests are here that nobody declared. */
  unmanaged(count: number): void;
}

/** Once per registry. */
export function guestMetrics(registry: Registry): GuestMetrics {
  const help = 'Ends of guests: crashed, stopped by the guest, gone, stopped on request, each by who ended it.';
  const ends = counter(registry, 'usher_guest_ends_total', help, 'reason', 'initiator');
  const unmanaged = new Gauge({
    name: 'usher_unmanaged_guests',
    help: 'Guests of this machine that no VirtualMachine declares.',
    registers: [registry],
  });
  return {
    ended: ({ reason, initiator }) => ends.inc({ reason, initiator }),
    unmanaged: (count) => unmanaged.set(count),
  };
}
