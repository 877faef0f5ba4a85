// Before a daemon says anything: the guests here that bear our marks and are not placed here. While this machine was cut
// off they may have been started elsewhere, and whoever hears of this machine again must not find two of them.
import { activeMigration } from '#crds/derive/migration.ts';
import { type BackoffOptions, backoff } from '#runtime/clock/backoff.ts';
import type { Random } from '#runtime/clock/clock.ts';
import { pause } from '#runtime/clock/signals.ts';
import type { DomainContext } from './domains/context.ts';
import { reconcileDomain } from './domains/reconcile.ts';
import type { Domain } from './hypervisor/driver.ts';
import { isDriverError } from './hypervisor/errors.ts';

const RETRY: BackoffOptions = { baseMs: 500, maxMs: 10_000 };
/** A copy that cannot be removed must not keep a machine from looking after all others. */
const ATTEMPTS = 6;

/**
 * Each is judged by a live read, and removed only where that shows a higher epoch elsewhere. Returns when all were judged,
 * when the hypervisor does not answer, or after some attempts; rejects only with the signal's reason.
 */
export async function settleStrays(context: DomainContext, random: Random, signal: AbortSignal): Promise<void> {
  let left = await straysOf(context);
  if (left.length === 0) return;
  const retries = backoff(RETRY, random);
  for (let attempt = 1; left.length > 0 && attempt <= ATTEMPTS; attempt += 1) {
    if (attempt > 1) await pause(context.clock, retries.next(), signal);
    signal.throwIfAborted();
    const settled = await Promise.all(left.map(async ({ uuid }) => isSettled(context, uuid, signal)));
    left = left.filter((_, index) => settled[index] !== true);
  }
  if (left.length > 0) context.logger.warn('guests that are placed elsewhere could not be judged yet', { left });
}

async function straysOf(context: DomainContext): Promise<readonly Domain[]> {
  const { driver, machines } = context;
  try {
    const domains = await driver.list();
    return domains.filter(
      ({ uuid, metadata }) =>
        metadata !== undefined && machines.byIndex('uuid', uuid).length === 0 && !isComing(context, uuid),
    );
  } catch (error) {
    if (isDriverError(error)) return [];
    throw error;
  }
}

/** One that moves here is no copy left behind: it is told of when it has arrived. */
function isComing({ incoming, self }: DomainContext, uuid: string): boolean {
  const { name } = self();
  return incoming.byIndex('uuid', uuid).some((vm) => activeMigration(vm.status)?.plan.target === name);
}

async function isSettled(context: DomainContext, uuid: string, signal: AbortSignal): Promise<boolean> {
  try {
    const { again } = await reconcileDomain(context, uuid, signal);
    return again === undefined;
  } catch (error) {
    context.logger.warn('a guest that is placed elsewhere could not be judged; it is tried again', { uuid, error });
    return false;
  }
}
