// The hardware watchdog of a machine: it resets the machine when it has not heard of the guard for as long as it was set
// to. So the guard's promise is kept even where the guard itself is dead.
import { closeSync, openSync, writeSync } from 'node:fs';

export interface Watchdog {
  /** To be called more often than the watchdog's own time-out. */
  pet(): void;
  /** Stands it down, as the kernel knows it: only a guard that ends in good order does this. */
  standDown(): void;
}

/** Opening the device arms it. */
export function openWatchdog(device: string): Watchdog {
  const descriptor = openSync(device, 'w');
  return {
    pet: () => void writeSync(descriptor, '1'),
    standDown: () => {
      writeSync(descriptor, 'V');
      closeSync(descriptor);
    },
  };
}
