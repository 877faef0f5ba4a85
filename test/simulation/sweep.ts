// The same piece of a VM's life is lived again and again, each time with a death of another process at another step. What
// really happens to the guests must be the same every time.
import { expect } from 'chai';
import { steadyLoad } from '#node-daemon/hypervisor/simulated/load.ts';
import type { SimulatedHostOptions } from '#node-daemon/hypervisor/simulated/machine-options.ts';
import { OPERATOR } from './kinds.ts';
import type { Fate, Moment, Step } from './life.ts';
import { closeUnbroken, expectNoOrphan, expectTrue } from './settled.ts';
import { Site } from './site.ts';

export const PROCESSES = [OPERATOR, 'hv1', 'hv2'] as const;
type Process = (typeof PROCESSES)[number];

/** Steps are counted for so long: everything has come true by then if nobody dies. */
const WINDOW_MS = 10_000;
/** After a process is back: the next leader waits for the lease of the one before, and every other pause is shorter. */
const RECOVERY_MS = 30_000;
/** The first averages of usage are written after a minute at the latest. */
const SETTLE_MS = 75_000;
export const DEAD_MS = 2_000;
/** Long enough for the operator to call the hypervisor silent. */
const LONG_DEAD_MS = 60_000;
const REST_MS = 70_000;
/** Longer than any guest here may take to shut down. */
const FAREWELL_MS = 40_000;
const BYSTANDER = { placement: { preferredHypervisors: ['hv1'] } };
const NO_LOAD = steadyLoad({
  cpuMillis: 0,
  memoryBytes: 0,
  networkReceive: 0,
  networkTransmit: 0,
  diskRead: 0,
  diskWrite: 0,
});

export interface Scenario {
  readonly title: string;
  readonly host?: Partial<SimulatedHostOptions>;
  /** What was before. */
  readonly given?: (site: Site) => Promise<void>;
  /** The one thing done. */
  readonly act: (site: Site) => void | Promise<void>;
  /** What it comes to, beyond what is always so. */
  readonly outcome?: (site: Site) => Promise<void>;
  /** What really happens to the guest of VM web from the beginning, host by host; several where a death may change it. */
  readonly histories: readonly (readonly string[])[];
  /** Writes that are refused, and are tried again by whoever comes after a death; none where this is left out. */
  readonly refusals?: number;
  /** What has to be done at least, in this order, by the protocol. */
  /** How much more a death may leave to tell: of what would have passed unseen, had nobody died. */
  readonly unseen?: number;
  readonly protocol: Readonly<Partial<Record<Process, readonly string[]>>>;
}

export interface Death {
  readonly of: Process;
  readonly fate: Fate;
}

export type Steps = Readonly<Record<Process, readonly Step[]>>;

export interface Lived {
  /** What everybody did while there was something to do. */
  readonly steps: Steps;
  /** How often a VirtualMachine was written, but for usage. */
  readonly writes: number;
}

/** A site begins; the first VM comes when it has. */
export async function begin(death?: Death): Promise<Steps> {
  const site = siteFor({});
  if (death !== undefined) site.doom(death.of, death.fate);
  await site.open();
  const steps = stepsOf(site);
  await recover(site, death);
  await site.create('bystander', BYSTANDER);
  await site.clock.advance(WINDOW_MS);
  await expectPromisesKept(site);
  await expectEnd(site);
  return steps;
}

/** Lives it once, and looks at every promise. */
export async function live(scenario: Scenario, death?: Death): Promise<Lived> {
  const site = await siteFor(scenario.host ?? {}).open();
  await site.create('bystander', BYSTANDER);
  await site.clock.advance(WINDOW_MS);
  await scenario.given?.(site);
  const before = await uuidOf(site);
  site.countAnew();
  site.forgetWrites();
  if (death !== undefined) site.doom(death.of, death.fate);
  await scenario.act(site);
  const made = before ?? (await uuidOf(site));
  await site.clock.advance(WINDOW_MS);
  const steps = stepsOf(site);
  await recover(site, death);
  const uuid = made ?? (await uuidOf(site));
  const writes = site.machineWrites().length;
  await scenario.outcome?.(site);
  await expectPromisesKept(site);
  expect(historyOf(site, uuid), 'what happened to the guest').to.be.deep.oneOf([...scenario.histories]);
  await expectEnd(site);
  return { steps, writes };
}

function siteFor(host: Partial<SimulatedHostOptions>): Site {
  const each = { load: () => NO_LOAD, shutdownMilliseconds: 1_000, ...host };
  return new Site({ hypervisors: { hv1: each, hv2: each }, latencyMilliseconds: 4 });
}

function stepsOf(site: Site): Steps {
  return { operator: [...site.stepsOf(OPERATOR)], hv1: [...site.stepsOf('hv1')], hv2: [...site.stepsOf('hv2')] };
}

async function recover(site: Site, death: Death | undefined): Promise<void> {
  if (death === undefined) return;
  await site.clock.advance(death.fate.forMilliseconds + RECOVERY_MS);
  expect(site.birthsOf(death.of), 'births').to.equal(2);
}

async function uuidOf(site: Site): Promise<string | undefined> {
  const web = (await site.machines()).find(({ metadata }) => metadata.name === 'web');
  return web?.metadata.uid;
}

/** Host by host: which of two did something first is for the invariants. */
function historyOf(site: Site, uuid: string | undefined): string[] {
  const own = site.witness.happenings.filter((one) => one.uuid === uuid);
  const told = own.map(
    ({ host, what, epoch }) => `${host} ${what}${what === 'started' || what === 'restored' ? ` ${epoch}` : ''}`,
  );
  return told.sort((a, b) => a.slice(0, 3).localeCompare(b.slice(0, 3)));
}

async function expectPromisesKept(site: Site): Promise<void> {
  const machines = await site.machines();
  for (const vm of machines) expectTrue(site, vm);
  await expectNoOrphan(site, machines);
  expect(historyOf(site, await site.uuidOf('bystander')), 'what happened to a bystander').to.deep.equal([
    'hv1 started 1',
  ]);
  await site.clock.advance(SETTLE_MS);
  site.forgetWrites();
  await site.clock.advance(REST_MS);
  expect(site.writes(), 'writes at rest').to.deep.equal([]);
}

/** Nothing is left that would not go. */
async function expectEnd(site: Site): Promise<void> {
  for (const { metadata } of await site.machines()) await site.delete(metadata.name);
  await site.clock.advance(FAREWELL_MS);
  expect(await site.machines(), 'after all were deleted').to.deep.equal([]);
  expect(
    [...site.hosts.values()].flatMap((host) => host.machine.list().filter(({ metadata }) => metadata !== undefined)),
  ).to.deep.equal([]);
  await closeUnbroken(site);
}

/** Every death that these steps have room for. */
export function deathsIn(steps: Steps): Death[] {
  return PROCESSES.flatMap((of) =>
    steps[of].flatMap((step, index) => fatesOf(step).map((fate) => ({ of, fate: { step: index + 1, ...fate } }))),
  );
}

/** Of what lasts there are two that differ. The longest is tried where something is half done. */
function fatesOf({ of, changes, lasts }: Step): Omit<Fate, 'step'>[] {
  const die = (moment: Moment, forMilliseconds = DEAD_MS) => ({ moment, forMilliseconds });
  if (!changes) return [die('after')];
  if (of === 'API server') return [die('before'), die('after')];
  return [die('before'), ...(lasts ? [die('sent')] : []), die('after'), die('after', LONG_DEAD_MS)];
}
