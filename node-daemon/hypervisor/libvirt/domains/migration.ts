// A guest on its way from one hypervisor to another, as libvirt does it and shows it.
import type { DomainPowerState, MigrationOptions, MigrationProgress } from '#node-daemon/hypervisor/driver.ts';
import { DriverError } from '#node-daemon/hypervisor/errors.ts';
import type { MigrationAddress } from '#node-daemon/hypervisor/migration-address.ts';
import type { Clock } from '#runtime/clock/clock.ts';
import { type Ask, getState, resume, type StateAndReason } from '../rpc/domain-calls.ts';
import { FAULT, isFault, LibvirtFault } from '../rpc/faults.ts';
import { abortJob, getJob, JOB_OPERATION, type Job, MIGRATE, performMigration } from '../rpc/migration-calls.ts';
import { bearsMark, markDeparture, unmarkDeparture } from './departure-mark.ts';
import { powerStateOf } from './power-state.ts';

export interface Journey {
  readonly address: string;
  readonly target: MigrationAddress;
  readonly options: MigrationOptions;
}

export interface Carriers {
  /** For the one call that lasts as long as the migration. */
  readonly move: Ask;
  /** For what is asked meanwhile. */
  readonly ask: Ask;
  /** For what is changed before and after. */
  readonly change: Ask;
  /** Where guests come in here. */
  readonly own: string;
  readonly clock: Clock;
}

/** Over TLS the memory goes through the same connection as the words: one port, one set of certificates. */
function requestOf({ address, target, options }: Journey) {
  const always = MIGRATE.live | MIGRATE.peerToPeer | MIGRATE.persistThere | MIGRATE.abortOnError;
  const { bandwidthMiB } = options;
  const data = target.transport === 'tls' ? undefined : `tcp://${target.host}`;
  return {
    connection: address,
    ...(data === undefined ? {} : { data }),
    ...(bandwidthMiB === undefined ? {} : { bandwidthMiB }),
    flags: data === undefined ? always | MIGRATE.tunnelled : always,
  };
}

export async function migrateDomain(
  { move, ask, change, own, clock }: Carriers,
  uuid: string,
  journey: Journey,
): Promise<void> {
  const { powerState } = powerStateOf(await getState(ask, uuid));
  if (powerState !== 'Running') throw new DriverError('Busy', `the guest cannot be moved: it is ${powerState}`);
  if ((await jobOf(ask, uuid)) !== undefined) throw new DriverError('Busy', 'the guest is on its way already');
  await markDeparture(change, uuid, own);
  const over = new AbortController();
  const { timeoutMs } = journey.options;
  let late = false;
  const giveUp = async () => {
    late = true;
    await abortMigration(ask, uuid);
  };
  clock
    .sleep(timeoutMs, over.signal)
    .then(giveUp)
    .catch(() => {});
  try {
    await performMigration(move, uuid, requestOf(journey));
  } catch (error) {
    if (!(error instanceof LibvirtFault)) throw error;
    await unmarkDeparture(change, uuid).catch(() => undefined); // the next one overwrites it
    throw refusal(error, late ? timeoutMs : undefined);
  } finally {
    over.abort();
  }
}

/** Whatever libvirt calls it, and of whichever side it speaks, the guest is where it was: that is Failed. */
function refusal(fault: LibvirtFault, lateAfterMs: number | undefined): DriverError {
  if (fault.reason === 'NotFound') return fault;
  if (lateAfterMs !== undefined)
    return new DriverError('Failed', `it was not done within ${lateAfterMs / 1000} s, and was given up`, fault);
  if (fault.code === FAULT.operationAborted) return new DriverError('Failed', 'it was aborted', fault);
  return new DriverError('Failed', fault.message, fault);
}

/** Quiet where there is none, or where it has just ended. */
export async function abortMigration(ask: Ask, uuid: string): Promise<void> {
  if ((await jobOf(ask, uuid)) === undefined) return;
  try {
    await abortJob(ask, uuid);
  } catch (error) {
    if (!isFault(error, FAULT.operationInvalid, FAULT.noDomain)) throw error;
  }
}

export async function progressOf(ask: Ask, uuid: string): Promise<MigrationProgress | undefined> {
  const job = await jobOf(ask, uuid);
  if (job === undefined) return undefined;
  const value = (name: string) => Number(job.values.get(name) ?? 0);
  return {
    processedBytes: value('data_processed'),
    remainingBytes: value('data_remaining'),
    totalBytes: value('data_total'),
    iteration: value('memory_iteration'),
  };
}

/** Of a migration from here. The other side of one is told nothing, and neither is who asks of a guest that is off. */
async function jobOf(ask: Ask, uuid: string): Promise<Job | undefined> {
  try {
    const job = await getJob(ask, uuid);
    return job?.operation === JOB_OPERATION.migrationOut ? job : undefined;
  } catch (error) {
    if (isFault(error, FAULT.operationUnsupported, FAULT.operationInvalid, FAULT.noDomain, FAULT.noSupport))
      return undefined;
    throw error;
  }
}

/**
 * `state` is what libvirt just said of the domain. A domain that stands still as in a migration is coming or going, or was
 * restored from disk and not let go on; libvirt tells of the job only where it goes from, and only until it is restarted.
 * Unknown where it changes while it is looked at. `own` is where guests come in here, if they do.
 */
export async function movingStateOf(
  ask: Ask,
  uuid: string,
  { state, own }: { readonly state: StateAndReason; readonly own: string | undefined },
): Promise<DomainPowerState> {
  const seen = await stillAs(ask, uuid, own);
  const now = await getState(ask, uuid);
  return now.state === state.state && now.reason === state.reason ? seen : 'Unknown';
}

async function stillAs(ask: Ask, uuid: string, own: string | undefined): Promise<'Incoming' | 'Outgoing' | 'Paused'> {
  try {
    const operation = (await getJob(ask, uuid))?.operation;
    if (operation === JOB_OPERATION.migrationIn) return 'Incoming';
    if (operation === JOB_OPERATION.migrationOut) return 'Outgoing';
  } catch (error) {
    if (isFault(error, FAULT.operationUnsupported, FAULT.operationInvalid)) return 'Incoming';
    throw error;
  }
  return own !== undefined && (await bearsMark(ask, uuid, own)) ? 'Outgoing' : 'Paused';
}

/** Whoever paused, resumed or saved a guest between two hypervisors could make it run twice. */
export async function refuseMoving(ask: Ask, uuid: string, own: string | undefined): Promise<void> {
  const seen = await stateOf(ask, uuid, own);
  if (seen === 'Incoming' || seen === 'Outgoing')
    throw new DriverError('Busy', `the guest moves from one hypervisor to another: it is ${seen}`);
}

async function stateOf(ask: Ask, uuid: string, own: string | undefined): Promise<DomainPowerState> {
  const state = await getState(ask, uuid);
  const { powerState } = powerStateOf(state);
  return powerState === 'Outgoing' ? movingStateOf(ask, uuid, { state, own }) : powerState;
}

export async function takeBack(ask: Ask, uuid: string, own: string | undefined): Promise<void> {
  const seen = await stateOf(ask, uuid, own);
  if (seen === 'Running') return;
  const moves = seen === 'Outgoing' && (await jobOf(ask, uuid)) !== undefined;
  if (seen !== 'Outgoing' || moves) throw new DriverError('Busy', `the guest is ${moves ? 'on its way still' : seen}`);
  await resume(ask, uuid);
  await unmarkDeparture(ask, uuid);
}
