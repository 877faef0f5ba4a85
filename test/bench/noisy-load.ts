// A steady load that jitters by chance from sample to sample, as real ones do.
import { type Load, type LoadRates, steadyLoad } from '#node-daemon/hypervisor/simulated/load.ts';
import type { Random } from '#runtime/clock/clock.ts';

/** The daemons' own interval: each of their samples gets a chance of its own. */
const SLOT_MS = 10_000;

/** All rates, and the memory, are multiplied by a factor within 1 ± `share`, drawn anew every ten seconds. */
export function noisyLoad(rates: LoadRates, share: number, random: Random): Load {
  const steady = steadyLoad(rates);
  const factors: number[] = [];
  const factor = (slot: number) => {
    while (factors.length <= slot) factors.push(1 + share * (2 * random() - 1));
    return factors[slot] ?? 1;
  };
  // What was counted up to the beginning of each slot, in milliseconds of the steady load.
  const begun = [0];
  return (elapsed) => {
    const slot = Math.floor(elapsed / SLOT_MS);
    for (let next = begun.length; next <= slot; next += 1) begun.push((begun.at(-1) ?? 0) + SLOT_MS * factor(next - 1));
    const effective = (begun[slot] ?? 0) + (elapsed - slot * SLOT_MS) * factor(slot);
    return { ...steady(effective), memoryBytes: Math.round(rates.memoryBytes * factor(slot)) };
  };
}
