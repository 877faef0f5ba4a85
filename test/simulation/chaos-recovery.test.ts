// Machines that are cut off, in any order, while VMs of theirs may be started elsewhere: never twice, and in the end all
// runs that should.
import { expect } from 'chai';
import fc from 'fast-check';
import { isKubeError } from '#runtime/kube/errors.ts';
import { HOLD } from '#test/builders/virtual-machine.ts';
import { OPERATOR } from './kinds.ts';
import { closeUnbroken, expectNoOrphan, expectTrue } from './settled.ts';
import { guardOf, Site } from './site.ts';

const MINUTE = 60_000;
/** More of them find more: USHER_CHAOS_RUNS=300. */
const RUNS = Math.ceil(Number(process.env.USHER_CHAOS_RUNS ?? 25) / 2);
const HOSTS = ['hv1', 'hv2', 'hv3'] as const;

const vm = fc.constantFrom('a', 'b', 'c');
const host = fc.constantFrom(...HOSTS);
const recovery = fc.record({
  onLost: fc.constantFrom('Restart' as const, 'Restart' as const, 'Hold' as const),
  lostTimeoutSeconds: fc.constantFrom(0, 60, 120),
});

type Step = (site: Site) => void | Promise<void>;

/** What it does is its name in a counterexample. */
function step<T>(name: string, given: fc.Arbitrary<T>, act: (site: Site, given: T) => void | Promise<void>) {
  return given.map(
    (chosen): Step =>
      Object.assign((site: Site) => act(site, chosen), { toString: () => `${name}(${JSON.stringify(chosen)})` }),
  );
}

function cutOff(site: Site, name: string, isCutOff: boolean): void {
  site.cutOff(name, isCutOff);
  if (isCutOff) site.api.watches.stall({ user: name });
  else site.api.watches.resume();
}

const happenings = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: step('cut off', host, (site, name) => cutOff(site, name, true)) },
    { weight: 3, arbitrary: step('back', host, (site, name) => cutOff(site, name, false)) },
    { weight: 1, arbitrary: step('kill', fc.constantFrom(OPERATOR, ...HOSTS), (site, name) => site.kill(name)) },
    {
      weight: 1,
      arbitrary: step('start', fc.constantFrom(OPERATOR, ...HOSTS), (site, name) =>
        site.isAlive(name) ? undefined : site.start(name),
      ),
    },
    {
      weight: 1,
      // A guard that stays dead is the risk that goes with it: see docs/adr/0010-proof-of-death.md.
      arbitrary: step('restart guard', host, (site, name) => {
        site.kill(guardOf(name));
        site.start(guardOf(name));
      }),
    },
    {
      weight: 1,
      arbitrary: step('change', fc.record({ name: vm, recovery }), async (site, { name, recovery: how }) =>
        site.edit(name, { recovery: how }),
      ),
    },
    { weight: 1, arbitrary: step('crash', vm, async (site, name) => site.crash(await site.uuidOf(name))) },
    { weight: 1, arbitrary: step('delete', vm, async (site, name) => site.delete(name)) },
    {
      weight: 6,
      arbitrary: step('wait', fc.constantFrom(1, 10, 30, 60, 90, 150), async (site, seconds) =>
        site.clock.advance(seconds * 1000),
      ),
    },
  ),
  { minLength: 10, maxLength: 50, size: 'max' },
);

async function take(happening: Step, site: Site): Promise<void> {
  try {
    await happening(site);
  } catch (error) {
    if (!isKubeError(error, 'NotFound')) throw error;
  }
}

async function heal(site: Site): Promise<void> {
  for (const name of HOSTS) cutOff(site, name, false);
  for (const name of [OPERATOR, ...HOSTS]) if (!site.isAlive(name)) site.start(name);
  await site.clock.advance(20 * MINUTE);
}

describe('whatever machines are cut off', () => {
  it('no guest runs twice, and in the end everything has come true and rests', async () => {
    const guarded = { hypervisors: { hv1: {}, hv2: {}, hv3: {} }, guards: HOSTS };
    await fc.assert(
      fc.asyncProperty(happenings, fc.integer({ min: 1, max: 1000 }), async (all, seed) => {
        const site = await new Site({ ...guarded, seed }).open();
        for (const name of ['a', 'b', 'c'])
          await site.create(name, { recovery: { ...HOLD, onLost: 'Restart', lostTimeoutSeconds: 0 } });
        await site.clock.advance(20_000);
        for (const happening of all) await take(happening, site);
        await heal(site);
        const machines = await site.machines();
        for (const one of machines) expectTrue(site, one);
        await expectNoOrphan(site, machines);
        site.forgetWrites();
        await site.clock.advance(5 * MINUTE);
        expect(site.machineWrites()).to.deep.equal([]);
        await closeUnbroken(site);
      }),
      { numRuns: RUNS },
    );
  }).timeout(Math.max(180_000, RUNS * 8_000));
});
