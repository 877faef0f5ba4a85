// Anything that can happen, in any order: people change their minds, guests end, machines and processes fail, answers get
// lost. Nothing is promised while it lasts but the invariants; once it is over, everything comes true and rests.
import { expect } from 'chai';
import fc from 'fast-check';
import { operationTypes } from '#crds/v1alpha1/operation-spec.ts';
import type { Resources } from '#crds/v1alpha1/virtual-machine-spec.ts';
import { isDriverError } from '#node-daemon/hypervisor/errors.ts';
import { timestampOf } from '#runtime/clock/clock.ts';
import { isKubeError, KubeError } from '#runtime/kube/errors.ts';
import { OPERATOR } from './kinds.ts';
import { closeUnbroken, expectNoOrphan, expectTrue } from './settled.ts';
import { Site } from './site.ts';

const MINUTE = 60_000;
/** More of them find more: USHER_CHAOS_RUNS=300 takes a minute or two. */
const RUNS = Number(process.env.USHER_CHAOS_RUNS ?? 25);
const HOSTS = ['hv1', 'hv2'] as const;
const PROCESSES = [OPERATOR, ...HOSTS] as const;
const POWER = [
  'start',
  'pause',
  'resume',
  'hibernate',
  'discardImage',
  'shutdown',
  'destroy',
  'undefine',
  'reboot',
] as const;
const LOST = new KubeError('Unreachable', 'the connection broke');

const vm = fc.constantFrom('a', 'b', 'c');
const host = fc.constantFrom(...HOSTS);
const program = fc.constantFrom(...PROCESSES);
const policies = fc.record({
  restartPolicy: fc.constantFrom('Always' as const, 'OnFailure' as const, 'Never' as const),
  recovery: fc.record({
    onLost: fc.constantFrom('Hold' as const, 'Restart' as const),
    lostTimeoutSeconds: fc.constantFrom(0, 60, 300),
    onMissing: fc.constantFrom('Hold' as const, 'Recreate' as const),
  }),
  powerOff: fc.record({
    mode: fc.constantFrom('GracefulThenForce' as const, 'Force' as const),
    gracePeriodSeconds: fc.constantFrom(0, 10),
  }),
  deletionPolicy: fc.constantFrom('PowerOff' as const, 'PowerOff' as const, 'Release' as const),
});
/** A merge patch: what is null is taken away. */
const resources = fc.record({
  cpus: fc.constantFrom(1, 2, 3),
  memory: fc.constantFrom('1Gi', '2Gi'),
  cpuReservation: fc.constantFrom('500m', '1', null),
  cpuLimit: fc.constantFrom('1', null, null),
  memoryMinimum: fc.constantFrom('1Gi', null),
});
const powerState = fc.constantFrom('Running', 'Running', 'Paused', 'Hibernated', 'Hibernated', 'Stopped');

/** To the API server: no time at all, so that everything happens at once, or some, so that things cross each other. */
const distances = fc.constantFrom({}, {}, { latencyMilliseconds: 5 });

type Step = (site: Site) => void | Promise<void>;

/** What it does is its name in a counterexample. */
function step<T>(
  name: string,
  given: fc.Arbitrary<T>,
  act: (site: Site, given: T) => void | Promise<void>,
): fc.Arbitrary<Step> {
  return given.map((chosen) => {
    const run: Step = (site) => act(site, chosen);
    return Object.assign(run, { toString: () => `${name}(${JSON.stringify(chosen)})` });
  });
}

const create = step(
  'create',
  fc.record({ name: vm, resources, policies }),
  async (site, { name, resources: size, policies: how }) => site.create(name, { resources: size as Resources, ...how }),
);

const powers = step('power', fc.record({ name: vm, powerState }), async (site, { name, powerState: wanted }) =>
  site.edit(name, { powerState: wanted }),
);

/** Often before anybody has seen what was asked for first. */
const flips = step(
  'flip',
  fc.record({ name: vm, powerState, before: powerState, after: fc.constantFrom(0, 1, 10, 50, 200) }),
  async (site, { name, powerState: wanted, before, after }) => {
    await site.edit(name, { powerState: before });
    await site.clock.advance(after);
    await site.edit(name, { powerState: wanted });
  },
);

/** Names come back: what is still there under one is met again. */
const operates = step(
  'operate',
  fc.record({
    name: fc.constantFrom('one', 'two', 'three'),
    type: fc.constantFrom(...operationTypes),
    set: fc.constantFrom('a', 'b', 'a,c', '*', '{b,c}'),
    parallelism: fc.constantFrom(1, 20),
    deadlineSeconds: fc.constantFrom(5, 60),
    ttlSecondsAfterFinished: fc.constantFrom(0, 10),
  }),
  async (site, { name, set, ...spec }) => site.operate(name, { ...spec, targets: { set } }),
);

const people = [
  operates,
  operates,
  step('cancel', fc.constantFrom('one', 'two', 'three'), async (site, name) =>
    site.editOperation(name, { cancel: true }),
  ),
  create,
  flips,
  powers,
  powers,
  powers,
  step('resize', fc.record({ name: vm, resources }), async (site, { name, resources: size }) =>
    site.edit(name, { resources: size }),
  ),
  step('policies', fc.record({ name: vm, policies }), async (site, { name, policies: how }) => site.edit(name, how)),
  step(
    'expire',
    fc.record({ name: vm, seconds: fc.constantFrom(-1, 1, 20, 86_400, null) }),
    async (site, { name, seconds }) => {
      const expirationTime = seconds === null ? null : timestampOf(site.clock.now() + seconds * 1000);
      await site.edit(name, { expirationTime });
    },
  ),
  step('delete', vm, async (site, name) => site.delete(name)),
  step(
    'delete by force',
    fc.record({ name: vm, after: fc.constantFrom(0, 10, 200, 5_000) }),
    async (site, { name, after }) => {
      await site.delete(name);
      await site.clock.advance(after);
      await site.forceDelete(name);
    },
  ),
  step('maintain', fc.record({ host, maintenance: fc.boolean() }), async (site, { host: name, maintenance }) =>
    site.maintain(name, maintenance),
  ),
  step('cordon', fc.record({ host, closed: fc.boolean() }), async (site, { host: name, closed }) =>
    site.cordon(name, closed),
  ),
];

const guests = [
  step('crash', vm, async (site, name) => site.crash(await site.uuidOf(name))),
  step('power off', vm, async (site, name) => onHost(site, name, (on, uuid) => site.host(on).powerOffFromInside(uuid))),
  step('destroy', vm, async (site, name) => onHost(site, name, (on, uuid) => site.host(on).destroyBehindOurBack(uuid))),
  step('pause', vm, async (site, name) => onHost(site, name, (on, uuid) => meddle(site, on, 'pause', uuid))),
  step('resume', vm, async (site, name) => onHost(site, name, (on, uuid) => meddle(site, on, 'resume', uuid))),
  step('hibernate', vm, async (site, name) =>
    onHost(site, name, (on, uuid) => {
      site.host(on).hibernateBehindOurBack(uuid).catch(unlessRefused);
    }),
  ),
  step('discard image', fc.record({ host, name: vm }), async (site, { host: on, name }) =>
    site.host(on).discardImageBehindOurBack(await site.uuidOf(name)),
  ),
  step('undefine', vm, async (site, name) =>
    onHost(site, name, (on, uuid) => site.host(on).undefineBehindOurBack(uuid)),
  ),
  step('ignore shutdown', vm, async (site, name) =>
    onHost(site, name, (on, uuid) => site.host(on).behave(uuid, { ignoresShutdown: true })),
  ),
  step('hang guest', vm, async (site, name) => onHost(site, name, (on, uuid) => site.host(on).hangGuest(uuid))),
  step('answer again', fc.constant(null), letGuestsAnswer),
];

const calls = step(
  'fail calls',
  fc.record({
    host,
    verb: fc.constantFrom(...(['list', 'observe', 'define', 'setMetadata'] as const), ...POWER),
    outcome: fc.constantFrom(...(['Failed', 'Busy', 'Unreachable', 'Timeout', 'Hang'] as const)),
    takesEffect: fc.boolean(),
    times: fc.constantFrom(1, 3, 10),
  }),
  (site, { host: name, ...fault }) => site.host(name).faults.order(fault),
);

const failures = [
  calls,
  calls,
  step('kill', program, (site, name) => site.kill(name)),
  step('start', program, (site, name) => (site.isAlive(name) ? undefined : site.start(name))),
  step('disconnect', host, (site, name) => site.host(name).disconnect()),
  step('hang', host, (site, name) => site.host(name).hang()),
  step('reconnect', host, (site, name) => site.host(name).reconnect()),
  step('lose events', host, (site, name) => site.host(name).loseEvents(3)),
  step('reboot', host, (site, name) => {
    site.kill(name);
    site.host(name).reboot();
  }),
  step('stall', program, (site, user) => site.api.watches.stall({ user })),
  step('cut', program, (site, user) => site.api.watches.cut({ user }, LOST)),
  step('resume', fc.constant(null), (site) => site.api.watches.resume()),
  step('forget history', fc.constant(null), (site) => site.api.compact()),
  step('refuse calls', fc.record({ user: program, times: fc.constantFrom(1, 5, 50) }), (site, { user, times }) =>
    site.api.faults.add({ match: (call) => call.user === user, refuse: LOST, times }),
  ),
  step('lose answers', fc.record({ user: program, times: fc.constantFrom(1, 3) }), (site, { user, times }) =>
    site.api.faults.add({
      match: (call) => call.user === user && call.verb.endsWith('Patch'),
      loseAnswer: LOST,
      times,
    }),
  ),
];

const waits = [
  step('wait', fc.constantFrom(0.1, 1, 5, 20, 60), async (site, seconds) => site.clock.advance(seconds * 1000)),
];

const happenings = fc
  .tuple(
    fc.array(create, { minLength: 6, maxLength: 6 }),
    fc.array(
      fc.oneof(
        { weight: 4, arbitrary: fc.oneof(...people) },
        { weight: 2, arbitrary: fc.oneof(...guests) },
        { weight: 2, arbitrary: fc.oneof(...failures) },
        { weight: 5, arbitrary: fc.oneof(...waits) },
      ),
      { minLength: 10, maxLength: 80, size: 'max' },
    ),
  )
  .map(([created, happened]) => [...created, ...happened]);

function letGuestsAnswer(site: Site): void {
  for (const name of HOSTS) for (const guest of site.host(name).machine.guests.all()) guest.hung = false;
}

/** Whoever is refused by virsh goes on to something else. */
function meddle(site: Site, on: string, what: 'pause' | 'resume', uuid: string): void {
  try {
    if (what === 'pause') site.host(on).pauseBehindOurBack(uuid);
    else site.host(on).resumeBehindOurBack(uuid);
  } catch (error) {
    unlessRefused(error);
  }
}

function unlessRefused(error: unknown): void {
  if (!isDriverError(error, 'Busy', 'Failed')) throw error;
}

async function onHost(site: Site, name: string, act: (host: string, uuid: string) => void): Promise<void> {
  const uuid = await site.uuidOf(name);
  for (const on of site.runningOn(uuid)) act(on, uuid);
}

/** A user who is told that there is no such VM, or one already, goes on to something else. */
async function take(happening: Step, site: Site): Promise<void> {
  try {
    await happening(site);
  } catch (error) {
    if (!isKubeError(error, 'NotFound', 'AlreadyExists', 'Invalid', 'Forbidden')) throw error;
  }
}

/** Everything works again, and has had time. */
async function heal(site: Site): Promise<void> {
  site.api.faults.clear();
  site.api.watches.resume();
  letGuestsAnswer(site);
  for (const name of HOSTS) site.host(name).faults.clear();
  for (const name of HOSTS) site.host(name).reconnect();
  for (const name of PROCESSES) if (!site.isAlive(name)) site.start(name);
  for (const name of HOSTS) await site.cordon(name, false);
  for (const name of HOSTS) await site.maintain(name, false);
  await site.clock.advance(15 * MINUTE);
}

describe('whatever happens', () => {
  it('no promise is broken, and in the end everything has come true and rests', async () => {
    await fc.assert(
      fc.asyncProperty(happenings, distances, fc.integer({ min: 1, max: 1000 }), async (all, distance, seed) => {
        const behaviour = {
          copyMilliseconds: 3_000,
          handOverMilliseconds: 100,
          startMilliseconds: 500,
          shutdownMilliseconds: 1_500,
          saveMilliseconds: 700,
        };
        const site = await new Site({ hypervisors: { hv1: behaviour, hv2: behaviour }, seed, ...distance }).open();
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
  }).timeout(Math.max(120_000, RUNS * 2_000));
});
