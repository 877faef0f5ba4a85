// All writing to the hypervisor.
import { type Amount, amountOf } from '#crds/amount.ts';
import { limits } from '#crds/v1alpha1/limits.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { Granted, PlacementStatus } from '#crds/v1alpha1/virtual-machine-status.ts';
import { ExpectedError } from '#runtime/process/expected-error.ts';
import type { DomainDefinition } from '../hypervisor/driver.ts';
import { DriverError, type DriverErrorReason, isDriverError, isUnanswered } from '../hypervisor/errors.ts';
import { NAME_TAKEN, type StartStep, type Step } from './actions.ts';
import type { DomainContext } from './context.ts';
import { definitionOf } from './definition.ts';
import { executeMove } from './execute-move.ts';
import {
  type DomainMemory,
  type FailedStep,
  rememberAsked,
  rememberFailedStart,
  rememberForced,
  rememberForceFailed,
  rememberOutcome,
  rememberResumed,
  rememberStarted,
  rememberStepDone,
  rememberStepFailed,
} from './memory.ts';
import { WORTH_TELLING_MS } from './pauses.ts';

interface Work {
  readonly context: DomainContext;
  readonly uuid: string;
  /** As a live read gave it in this pass. */
  readonly vm: VirtualMachine;
  /** Called once if a start takes long enough to be worth telling. */
  readonly onSlowStart: () => Promise<void>;
}

/**
 * Does one step and remembers it. A start that is refused becomes memory for the next plan; where another guest took
 * the room a moment before nothing is done, and the next look shows it. Rejects with the DriverError of anything else.
 */
export async function execute(step: Step, work: Work): Promise<void> {
  const { context, uuid } = work;
  const { name, namespace } = work.vm.metadata;
  context.logger.info(step.kind, { uuid, vm: `${namespace}/${name}`, reason: step.reason });
  switch (step.kind) {
    case 'Start':
      return start(work, step);
    case 'Restore':
      return restore(work, step);
    case 'Hibernate':
      return again(work, 'Hibernate', async () => context.driver.hibernate(uuid));
    case 'DiscardImage':
      if (step.warning !== undefined) context.warn(work.vm, step.warning, step.reason);
      return again(work, 'DiscardImage', async () => context.driver.discardImage(uuid));
    case 'Pause':
      return again(work, 'Pause', async () => context.driver.pause(uuid));
    case 'Resume':
      return resume(work);
    case 'AskShutdown':
      return askShutdown(work);
    case 'PullPlug':
      return pullPlug(work);
    case 'Reboot':
    case 'Cycle':
      return once(work, step);
    case 'Undefine':
      return again(work, 'Undefine', async () => context.driver.undefine(uuid));
    case 'SetLimits':
      return again(work, 'SetLimits', async () => context.driver.setLimits(uuid, step.limits));
    case 'Release':
      return again(work, 'Release', async () => context.driver.release(uuid));
    case 'Confirm':
    case 'Adopt':
      return again(work, step.kind, async () => context.driver.setMetadata(uuid, step.metadata));
    case 'Migrate':
    case 'AbortMigration':
    case 'TakeBack':
      return executeMove(step, context, uuid);
  }
}

function remember({ context, uuid }: Work, change: (memory: DomainMemory, now: number) => DomainMemory): void {
  context.memories.update(uuid, (memory) => change(memory, context.clock.monotonic()));
}

/**
 * A guest that cannot be asked counts as asked, whatever the reason: the grace period then ends in force, or never. Only
 * where the hypervisor itself does not answer nobody was asked, and no grace period runs.
 */
async function askShutdown(work: Work): Promise<void> {
  const { driver } = work.context;
  try {
    await driver.shutdown(work.uuid);
  } catch (error) {
    if (!isDriverError(error)) throw error;
    await driver.observe(work.uuid);
    work.context.logger.warn('the guest could not be asked to shut down', { uuid: work.uuid, error });
  }
  remember(work, rememberAsked);
}

/** Of a guest that is to stop it is tried once: whoever cannot be resumed does not hear what it is asked. */
async function resume(work: Work): Promise<void> {
  await again(work, 'Resume', async () => work.context.driver.resume(work.uuid));
  remember(work, rememberResumed);
}

async function pullPlug(work: Work): Promise<void> {
  const why = await refusalOf(work, 'PullPlug', async () => work.context.driver.destroy(work.uuid));
  remember(work, (memory, now) =>
    why === undefined ? rememberForced(memory, now) : rememberForceFailed(memory, now, why),
  );
}

const doneInWords = {
  Reboot: 'The guest was asked to reboot.',
  Cycle: 'The plug of the guest was pulled, and it was started again.',
} as const;

/** Never again, whatever comes of it. Until an answer is there nobody knows, and where none comes it stays so. */
async function once(work: Work, { kind, uid }: Extract<Step, { kind: 'Reboot' | 'Cycle' }>): Promise<void> {
  const { heartbeat, self, logger, driver } = work.context;
  // Since the plan was made this process may have been frozen for so long that another acts for this node by now.
  if (!heartbeat.isValid())
    throw new ExpectedError('the Lease of this node ran out before an operation was carried out');
  const tell = (state: 'Done' | 'Failed' | 'Unknown', why: string) =>
    remember(work, (memory) => rememberOutcome(memory, uid, { state, why: why.slice(0, limits.sentence) }));
  tell('Unknown', `${self().name} got no answer: it may have been done.`);
  try {
    await (kind === 'Reboot' ? driver.reboot(work.uuid) : driver.destroy(work.uuid));
    tell('Done', doneInWords[kind]);
  } catch (error) {
    if (!isDriverError(error)) throw error;
    const { message } = error;
    logger.warn('an operation failed', { uuid: work.uuid, error });
    if (isUnanswered(error)) tell('Unknown', `${self().name} got no answer, so it may have been done: ${message}.`);
    else tell('Failed', `${self().name} could not do it: ${message}.`);
  }
}

/** What is tried again, with growing pauses, until it works. */
async function again(work: Work, kind: FailedStep['kind'], verb: () => Promise<void>): Promise<void> {
  const why = await refusalOf(work, kind, verb);
  remember(work, (memory, now) =>
    why === undefined ? rememberStepDone(memory) : rememberStepFailed(memory, now, { kind, why }),
  );
}

/** Where the hypervisor itself does not answer nothing was tried; whatever else it says no with is told. */
async function refusalOf(
  { context, uuid }: Work,
  kind: Step['kind'],
  verb: () => Promise<void>,
): Promise<string | undefined> {
  try {
    await verb();
    return undefined;
  } catch (error) {
    // A Timeout is told: the hypervisor took the call, and a guest that it does not end in time may outlive every try.
    if (!isDriverError(error) || error.reason === 'Unreachable') throw error;
    context.logger.warn('a step failed', { kind, uuid, error });
    return error.message;
  }
}

async function start(work: Work, step: StartStep): Promise<void> {
  const { granted, placement } = grantOf(work.vm);
  const definition = definitionOf(work.vm, granted, placement);
  const begin = async () => tellingWhenSlow(work, async () => defineAndStart(work.context, definition, step));
  await bring(work, { amount: amountOf(granted.resources), what: 'start', begin });
}

/** However long it takes nothing else is told of it than that it was hibernated: it may be so still. */
async function restore(work: Work, { amount, paused }: Extract<Step, { kind: 'Restore' }>): Promise<void> {
  const { driver, heartbeat } = work.context;
  const begin = async () => {
    refuseWithoutLease(heartbeat);
    await driver.start(work.uuid, { restore: true, paused: paused === true });
  };
  await bring(work, { amount, what: 'restore', begin });
}

interface Bringing {
  readonly amount: Amount;
  readonly what: 'start' | 'restore';
  readonly begin: () => Promise<void>;
}

/** Takes the room for a guest and brings it up. */
async function bring(work: Work, { amount, what, begin }: Bringing): Promise<void> {
  const { context, uuid } = work;
  await context.verifyControlPlane();
  if (context.hold() === 'Doubt') return;
  if (!context.admission.accept(uuid, amount)) return;
  context.initiators.delete(uuid);
  try {
    await begin();
    context.admission.started(uuid);
    remember(work, rememberStarted);
  } catch (error) {
    // It may have been started all the same: the room is kept until the guest was seen.
    if (isUnanswered(error)) context.admission.started(uuid);
    else context.admission.release(uuid);
    if (!isDriverError(error)) throw error;
    rememberFault(work, what, error);
  }
}

/** Between its steps the domain bears either the former epoch and is off, or runs: neither can be misread. */
async function defineAndStart(
  { driver, heartbeat }: Pick<DomainContext, 'driver' | 'heartbeat'>,
  { metadata: built, ...definition }: DomainDefinition,
  { formerEpoch = built.epoch, paused, asFound, name = definition.name }: StartStep,
): Promise<void> {
  const metadata = asFound === undefined ? built : { ...built, asFound };
  const former = { ...metadata, epoch: formerEpoch };
  // What somebody else has built is started as it is: defined anew it would have other hardware.
  if (asFound === undefined) await driver.define({ ...definition, name, metadata: former });
  else await driver.setMetadata(definition.uuid, former);
  refuseWithoutLease(heartbeat);
  await driver.start(definition.uuid, { paused: paused === true });
  if (formerEpoch !== metadata.epoch) await driver.setMetadata(definition.uuid, metadata);
}

/** Since the plan was made this process may have been frozen for so long that another acts for this node by now. */
function refuseWithoutLease(heartbeat: DomainContext['heartbeat']): void {
  if (!heartbeat.isValid()) throw new ExpectedError('the Lease of this node ran out before the guest was started');
}

const codes: Readonly<Partial<Record<DriverErrorReason, string>>> = {
  Invalid: 'InvalidOnHypervisor',
  NoRoom: 'NoRoom',
  Conflict: NAME_TAKEN,
};

function rememberFault(work: Work, what: Bringing['what'], error: DriverError): void {
  const { context, uuid, vm } = work;
  const fault = {
    generation: grantOf(vm).granted.generation,
    answered: !isUnanswered(error),
    code: codes[error.reason] ?? 'StartFailed',
    reason: `${context.self().name} could not ${what} the guest: ${error.message}.`,
  };
  context.logger.warn('start failed', { uuid, error });
  remember(work, (memory, now) => rememberFailedStart(memory, now, fault));
}

/** Whether it could be told changes nothing: somebody may have written to the VM while the guest was being started. */
async function tellingWhenSlow({ context, uuid, onSlowStart }: Work, work: () => Promise<void>): Promise<void> {
  const finished = new AbortController();
  const tell = async () =>
    onSlowStart().catch((error: unknown) => context.logger.debug('a slow start could not be told', { uuid, error }));
  const telling = context.clock.sleep(WORTH_TELLING_MS, finished.signal).then(tell, () => undefined);
  try {
    await work();
  } finally {
    finished.abort();
    await telling;
  }
}

function grantOf(vm: VirtualMachine): { granted: Granted; placement: PlacementStatus } {
  const { granted, placement } = vm.status ?? {};
  if (granted === undefined || placement === undefined) {
    throw new DriverError('Invalid', 'a step was planned for a VM that was not granted');
  }
  return { granted, placement };
}
