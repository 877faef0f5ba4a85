// The machine's own time since it booted, which goes on while the machine is suspended.
import { readFileSync } from 'node:fs';

/** Milliseconds of CLOCK_BOOTTIME, to the hundredth of a second. Throws where the kernel does not tell. */
export function readBootTime(): number {
  const [seconds = ''] = readFileSync('/proc/uptime', 'utf8').split(' ');
  const milliseconds = Number(seconds) * 1000;
  if (seconds === '' || !Number.isFinite(milliseconds)) throw new TypeError('/proc/uptime tells no time');
  return milliseconds;
}
