// All tiers of tests, one after the other, and one closing line over them: `run.ts [--tier unit,…] [--require qemu,…]`.

import { parseArgs } from 'node:util';
import { CAPABILITIES } from './runner/capabilities.ts';
import { runTier } from './runner/run-tier.ts';
import { isGreen, missingCapabilities, summary } from './runner/summary.ts';
import type { TierResult } from './runner/tier-result.ts';
import { TIERS } from './runner/tiers.ts';

const { values } = parseArgs({ options: { tier: { type: 'string' }, require: { type: 'string' } } });
const chosen = choose('--tier', values.tier, TIERS, (tier) => tier.name) ?? TIERS;
const required = choose('--require', values.require, CAPABILITIES, String) ?? [];

const results: TierResult[] = [];
for (const tier of chosen) {
  process.stdout.write(`\n── ${tier.name} ──\n`);
  results.push(await runTier(tier, { directory: 'build/test' }));
}
const missing = missingCapabilities(results, required);
process.stdout.write(`\n${summary(results, missing)}\n`);
process.exitCode = isGreen(results, missing) ? 0 : 1;

function choose<T>(
  flag: string,
  list: string | undefined,
  from: readonly T[],
  nameOf: (item: T) => string,
): T[] | undefined {
  return list?.split(',').map((name) => {
    const found = from.find((item) => nameOf(item) === name);
    if (found !== undefined) return found;
    throw new Error(`${flag} ${name}: there is no such one; choose from ${from.map(nameOf).join(', ')}`);
  });
}
