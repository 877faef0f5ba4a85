/** One step of a run: a mocha process of its own. */
export interface Tier {
  readonly name: string;
  /** Globs, from the root of the repository. */
  readonly files: readonly string[];
  /** A process that takes longer is ended and counts as failed. */
  readonly limitSeconds: number;
  /** So does one that is still there this long after its last test: something was left open. Five seconds unless given. */
  readonly lingerMilliseconds?: number;
}

/** In the order in which they run: what is quick and needs nothing comes first. */
export const TIERS: readonly Tier[] = [
  {
    name: 'unit',
    files: ['{crds,runtime,operator,node-daemon,policies,hack}/**/*.test.ts', 'test/{runner,bench}/**/*.test.ts'],
    limitSeconds: 600,
  },
  { name: 'simulation', files: ['test/builders/**/*.test.ts', 'test/simulation/**/*.test.ts'], limitSeconds: 900 },
  { name: 'control-plane', files: ['test/control-plane/**/*.test.ts'], limitSeconds: 900 },
  { name: 'hypervisor', files: ['test/hypervisor/**/*.test.ts'], limitSeconds: 900 },
  { name: 'end-to-end', files: ['test/end-to-end/**/*.test.ts'], limitSeconds: 2400 },
];
