// The moment in which tests happen unless they say otherwise: the one at which a VirtualClock begins.
import { timestampOf } from '#runtime/clock/clock.ts';

const NOW = Date.UTC(2026, 0, 1);
export const TIME = timestampOf(NOW);

/** RFC 3339, so many seconds after `TIME`. */
export function timeAfter(seconds: number): string {
  return timestampOf(NOW + seconds * 1000);
}
