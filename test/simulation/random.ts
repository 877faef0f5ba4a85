import type { Random } from '#runtime/clock/clock.ts';

/** The same numbers in every run: a linear congruential generator modulo 2^32, good enough to spread timers. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
