// A guest that moves from here to another hypervisor. Pure. Whether it runs here or there is never guessed: one that stands
// still is taken back only on the word of the other side, given after it had stopped here.
import { type ActiveMigration, activeMigration } from '#crds/derive/migration.ts';
import type { MigrationSource } from '#crds/v1alpha1/migration-status.ts';
import type { Domain } from '../hypervisor/driver.ts';
import { act, type Mine, type Plan } from './actions.ts';
import { LOOK_AT_MOVE_MS, NO_TRACE_MS, OFF_TOLD_MS, PROGRESS_MS } from './pauses.ts';
import { presentDomain } from './snapshot.ts';

/** It begins as soon as that is written. */
const AT_ONCE_MS = 1;

interface Leaving extends Mine {
  readonly migration: ActiveMigration;
  readonly attempt: number;
}

/** Undefined where nothing moves from here by now: the guest is then looked after like any other. */
export function planSource(mine: Mine): Plan | undefined {
  const migration = activeMigration(mine.vm.status);
  if (migration?.plan.source !== mine.snapshot.self.name || bearsNoMarks(mine)) return undefined;
  const leaving: Leaving = { ...mine, migration, attempt: migration.plan.attempt };
  if (migration.source === undefined) return planDeparture(leaving);
  return migration.source.state === 'Stayed' ? undefined : planUnderWay(leaving);
}

/** Somebody took our marks from it, or it was never ours: nothing is done to it. */
function bearsNoMarks({ snapshot }: Mine): boolean {
  const domain = presentDomain(snapshot);
  return domain !== undefined && domain.metadata === undefined;
}

/** The status says that it begins before it does: whoever wants it given up from then on knows whom to wait for. */
function planDeparture(leaving: Leaving): Plan | undefined {
  const { snapshot, migration, granted, vm } = leaving;
  const runs = presentDomain(snapshot)?.powerState === 'Running';
  const wanted = granted.powerState === 'Running' && vm.metadata.deletionTimestamp === undefined;
  const ready = migration.target?.state === 'Ready' && migration.plan.step === 'Move';
  if (!runs || !wanted || !ready || !snapshot.leaseValid || snapshot.hold !== 'None') return undefined;
  return tell(leaving, { state: 'Moving' }, AT_ONCE_MS);
}

function planUnderWay(leaving: Leaving): Plan {
  const domain = presentDomain(leaving.snapshot);
  switch (domain?.powerState) {
    case 'Running':
      return isAtWork(leaving) ? planProgress(leaving) : planIdle(leaving);
    case 'Outgoing':
      return planStandingStill(leaving);
    case 'Paused':
    case 'Saving':
    case 'ShuttingDown':
      return isAtWork(leaving) ? wait('It moves.') : tell(leaving, { state: 'Stayed', reason: endedWith(leaving) });
    case 'Incoming':
    case 'Unknown':
      return wait('The hypervisor does not know its state.');
    case 'ShutOff':
    case 'Crashed':
    case undefined:
      return planOff(leaving, domain);
  }
}

/** The hypervisor is at it, or this process still waits for its answer. */
function isAtWork({ snapshot }: Leaving): boolean {
  return snapshot.move?.progress !== undefined || snapshot.move?.own?.kind === 'Underway';
}

function planProgress(leaving: Leaving): Plan {
  const { snapshot, migration } = leaving;
  const { plan, source } = migration;
  if (plan.step === 'Abort' && snapshot.move?.progress !== undefined) {
    if (snapshot.live.kind === 'Used') return wait('It is being given up.');
    return act(snapshot, { kind: 'AbortMigration', reason: plan.reason });
  }
  const { progress } = snapshot.move ?? {};
  const due = snapshot.wallTime - Date.parse(source?.time ?? '') >= PROGRESS_MS;
  if (!due || progress === undefined) return wait('It moves.');
  return tell(leaving, { state: 'Moving', progress }, LOOK_AT_MOVE_MS);
}

/** It runs here, and nobody is at it: it has not begun, or it is over. */
function planIdle(leaving: Leaving): Plan {
  const { snapshot, migration } = leaving;
  const own = snapshot.move?.own;
  if (own?.kind === 'Announced' && migration.plan.step === 'Move')
    return act(snapshot, { kind: 'Migrate', plan: migration.plan, reason: migration.plan.reason });
  // A daemon that has died since may have asked for it a moment ago.
  if (own === undefined && (snapshot.move?.unchangedFor ?? 0) < NO_TRACE_MS) return wait('It may begin any moment.');
  return tell(leaving, { state: 'Stayed', reason: endedWith(leaving) });
}

function endedWith({ snapshot, migration }: Leaving): string {
  const { self, move } = snapshot;
  const { plan } = migration;
  if (move?.own?.kind === 'Ended') return move.own.reason;
  if (plan.step === 'Abort') return `It runs on ${self.name}. ${plan.reason}`;
  return `It runs on ${self.name}; its daemon was restarted, and knows nothing more of the move to ${plan.target}.`;
}

/** It may run on the other side. Only what that one says after it has stopped here tells. */
function planStandingStill(leaving: Leaving): Plan {
  const { snapshot, migration } = leaving;
  const { self } = snapshot;
  if (isAtWork(leaving)) return wait('It is being handed over.');
  if (migration.source?.state !== 'Held') {
    const reason = `The guest stands still on ${self.name} and may run on ${migration.plan.target}.`;
    return tell(leaving, { state: 'Held', reason });
  }
  if (migration.target?.state !== 'Absent') return wait(`${migration.plan.target} has not said whether it runs there.`);
  const reason = `It does not run on ${migration.plan.target}, and will not.`;
  return act(snapshot, { kind: 'TakeBack', reason });
}

function planOff(leaving: Leaving, domain: Domain | undefined): Plan {
  const { snapshot, migration } = leaving;
  const early = (snapshot.move?.unchangedFor ?? 0) < OFF_TOLD_MS;
  if (migration.source?.state === 'Gone' || early || snapshot.move?.own?.kind === 'Underway')
    return wait(`It does not run here any more; ${migration.plan.target} is to say that it runs there.`);
  const left = domain?.shutOffReason === 'Migrated' ? 'was handed over' : 'ended';
  return tell(leaving, { state: 'Gone', reason: `The guest ${left} on ${snapshot.self.name}.` });
}

type Told = Omit<MigrationSource, 'attempt' | 'time'>;

function tell({ attempt }: Leaving, told: Told, again?: number): Plan {
  const source = { ...told, attempt };
  return { kind: 'TellMove', side: 'source', told: source, ...(again === undefined ? {} : { again }) };
}

function wait(reason: string): Plan {
  return { kind: 'Nothing', reason, again: LOOK_AT_MOVE_MS };
}
