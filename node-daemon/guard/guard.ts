// The guard of a machine: stops guests that may be started elsewhere, when their machine has been cut off for too long.
import type { Clock } from '#runtime/clock/clock.ts';
import { pause } from '#runtime/clock/signals.ts';
import type { Logger } from '#runtime/process/log.ts';
import type { BootTime, GuardedGuest, GuardFiles, Orders } from './orders.ts';
import { type GuardPlan, planGuard } from './plan.ts';

/** Ends guests without asking anybody: not their hypervisor's management, which may hang, and least of all the network. */
export interface Killer {
  /** Kills whatever runs these guests, and gives those that run all the same. Quiet where nothing did. */
  kill(uuids: readonly string[]): Promise<readonly string[]>;
}

export interface GuardOptions {
  readonly files: GuardFiles;
  readonly killer: Killer;
  readonly bootID: string;
  readonly bootTime: BootTime;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told each time it has looked, so that a hardware watchdog can be kept quiet. */
  readonly onLooked?: () => void;
}

const LOOK_EVERY_MS = 500;

/** Until the signal aborts; never rejects. */
export async function runGuard(options: GuardOptions, signal: AbortSignal): Promise<void> {
  const { clock, logger, onLooked } = options;
  let orders: Orders | undefined;
  let told: GuardPlan['kind'] | undefined;
  while (!signal.aborted) {
    orders = (await heed(options)) ?? orders;
    const plan = planGuard(orders, { bootID: options.bootID, bootTime: options.bootTime() });
    if (plan.kind !== told)
      logger[plan.kind === 'Stop' ? 'error' : 'info'](inWords[plan.kind], { reason: plan.reason });
    told = plan.kind;
    if (plan.kind === 'Stop') await stop(options, plan.guests);
    onLooked?.();
    await pause(clock, LOOK_EVERY_MS, signal);
  }
}

const inWords = { Idle: 'nobody is guarded', Watch: 'guarding', Stop: 'stopping the guests that are guarded' } as const;

/** What was heard once is never forgotten because a file cannot be read. */
async function heed({ files, bootID, bootTime, logger }: GuardOptions): Promise<Orders | undefined> {
  try {
    const orders = await files.orders();
    if (orders !== undefined) await files.acknowledge({ seq: orders.seq, bootID, at: bootTime() });
    return orders;
  } catch (error) {
    logger.error('the orders of the daemon cannot be read, or not be acknowledged', { error });
    return undefined;
  }
}

async function stop({ killer, logger }: GuardOptions, guests: readonly GuardedGuest[]): Promise<void> {
  try {
    const alive = await killer.kill(guests.map(({ uuid }) => uuid));
    if (alive.length === 0) return;
    const names = guests.filter(({ uuid }) => alive.includes(uuid)).map(({ name }) => name);
    logger.error('guests could not be stopped yet; it is tried again', { guests: names });
  } catch (error) {
    logger.error('guests could not be stopped yet; it is tried again', { error });
  }
}
