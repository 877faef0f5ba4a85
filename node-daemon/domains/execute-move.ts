// What is done to a guest that moves from here.
import type { MigrationPlan } from '#crds/v1alpha1/migration-status.ts';
import { isDriverError } from '../hypervisor/errors.ts';
import type { Step } from './actions.ts';
import type { DomainContext } from './context.ts';

type MoveStep = Extract<Step, { kind: 'Migrate' | 'AbortMigration' | 'TakeBack' }>;

/** Rejects with the DriverError of what the hypervisor would not do. */
export async function executeMove(step: MoveStep, context: DomainContext, uuid: string): Promise<void> {
  switch (step.kind) {
    case 'Migrate':
      return begin(context, uuid, step.plan);
    case 'AbortMigration':
      return context.driver.abortMigration(uuid);
    case 'TakeBack':
      return context.driver.takeBack(uuid);
  }
}

/**
 * Begins it and does not wait: it takes as long as it takes. What comes of it is remembered for the next look; where
 * nobody knows what came of it, the hypervisor will show that it is still at it, or nothing.
 */
function begin(context: DomainContext, uuid: string, plan: MigrationPlan): void {
  const { driver, moves, logger } = context;
  const { attempt, address, timeoutSeconds, bandwidthMiB } = plan;
  const options = { timeoutMs: timeoutSeconds * 1000, ...(bandwidthMiB === undefined ? {} : { bandwidthMiB }) };
  moves.remember(uuid, { attempt, kind: 'Underway' });
  const ended = (reason: string) => moves.remember(uuid, { attempt, kind: 'Ended', reason });
  driver.migrate(uuid, address, options).then(
    () => ended(`It runs on ${plan.target}.`),
    (error: unknown) => {
      logger.warn('a migration failed', { uuid, target: plan.target, error });
      const answered = isDriverError(error) && !['Unreachable', 'Timeout'].includes(error.reason);
      if (answered) ended(`It could not be moved to ${plan.target}: ${error.message}.`);
      else moves.forget(uuid);
    },
  );
}
